import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { found, shapesOf } from '../support/bytes-search.js';
import { scratchFolder } from '../support/scratch.js';

describe('the search for words in files', () => {
  it('finds one at the end of a file, and none that the file breaks off', () => {
    const folder = scratchFolder();
    try {
      writeFileSync(join(folder.path, 'whole'), 'about Canary');
      writeFileSync(join(folder.path, 'broken'), 'about Canar');
      const files = found(folder.path, shapesOf('Canary')).map(({ file }) => file);
      assert.deepEqual(files, ['whole']);
    } finally {
      folder.remove();
    }
  });
});
