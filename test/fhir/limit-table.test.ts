import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { IDEMPOTENCY_DAYS } from '@salus/chaincode/ehr/api';
import { MAX_HEARD_DENIALS } from '@salus/gateway/consent/announced';
import { MAX_DENIAL_BYTES } from '@salus/gateway/door/denial';
import { GROUP_BYTES, GROUP_SIZE, PACK_SIZE } from '@salus/gateway/ehr/grouping';
import { SIGN_IN_LIMITS } from '@salus/gateway/authorization/lock-out';
import { ASSERTION_S } from '@salus/gateway/authorization/offered';
import { MAX_PASSWORD_CHARACTERS } from '@salus/gateway/authorization/passwords';
import { SIGN_IN_BODY_LIMIT } from '@salus/gateway/authorization/ports';
import { OPEN_SIGN_INS_LIMIT } from '@salus/gateway/authorization/store';
import { BUNDLE_ENTRY_LIMIT } from '@salus/gateway/fhir/bundle';
import { CONDITIONAL_DELETE_LIMIT } from '@salus/gateway/fhir/conditional';
import { BODY_LIMIT } from '@salus/gateway/fhir/received';
import { CONTENT_LIMIT, ISSUE_LIMIT } from '@salus/gateway/fhir/validate';
import { JSON_LIMITS } from '@salus/gateway/fhir/json';
import { COMPARED_CHARACTERS } from '@salus/gateway/fhir/likeness';
import { MATCH_LIMIT } from '@salus/gateway/fhir/match';
import { LARGEST_PAGE } from '@salus/gateway/fhir/paging';
import { PATCH_LIMIT } from '@salus/gateway/fhir/patch';
import { BATCH_ANSWER_LIMIT } from '@salus/gateway/fhir/batch';
import { EXPORT_LIMIT } from '@salus/gateway/fhir/export';
import { FILTER_LIMIT } from '@salus/gateway/fhir/filter-expression';
import { IMPORT_LIMITS } from '@salus/gateway/fhir/import/limits';
import { SUBSCRIPTION_LIMITS } from '@salus/gateway/fhir/subscription/limits';
import { INCLUDE_LIMIT } from '@salus/gateway/fhir/includes';
import { SEARCH_LIMITS } from '@salus/gateway/fhir/search-request';
import { REASON_LIMIT } from '@salus/gateway/fhir/stated-reason';
import { SMALL_BODY, UNDERWAY_LIMIT } from '@salus/gateway/fhir/underway';
import { WORDS_LIMITS } from '@salus/gateway/fhir/words-expression';
import { MAX_LATE_GLASS_BYTES } from '@salus/gateway/glass/late-door';
import { MAX_GLASS_TEXT } from '@salus/gateway/glass/record';
import { MAX_GLASS_LISTED } from '@salus/gateway/glass/review';
import { GLASS_BUDGET } from '@salus/gateway/glass/store';
import { MAX_TOKEN_CHARACTERS } from '@salus/gateway/identity/tokens';
import { LONGEST_IDENTIFIER } from '@salus/gateway/patient/codes';
import { ON_LEDGER_LIMIT } from '@salus/gateway/keys/beside';
import { POSTED_LIMITS } from '@salus/gateway/projection/posted/definition';
import { WORK_LIMITS } from '@salus/gateway/projection/search/search';
import { EXPANSION_DEPTH, EXPANSION_LIMIT } from '@salus/gateway/projection/search/code-set';
import { TERM_LIMIT } from '@salus/gateway/projection/search/terms';
import { EXPANSION_WORK } from '@salus/gateway/projection/search/vocabulary';
import { INDEXED_WORDS } from '@salus/gateway/projection/values/words';

import { projectRoot } from '../support/shared.js';

const groups = {
  GLASS_BUDGET,
  IMPORT_LIMITS,
  SIGN_IN_LIMITS,
  JSON_LIMITS,
  POSTED_LIMITS,
  SEARCH_LIMITS,
  SUBSCRIPTION_LIMITS,
  WORDS_LIMITS,
  WORK_LIMITS,
};
const limits: Record<string, number> = {
  ASSERTION_S,
  GROUP_BYTES,
  GROUP_SIZE,
  PACK_SIZE,
  IDEMPOTENCY_DAYS,
  UNDERWAY_LIMIT,
  SMALL_BODY,
  MAX_DENIAL_BYTES,
  MAX_HEARD_DENIALS,
  MAX_GLASS_LISTED,
  MAX_GLASS_TEXT,
  MAX_LATE_GLASS_BYTES,
  MAX_PASSWORD_CHARACTERS,
  MAX_TOKEN_CHARACTERS,
  OPEN_SIGN_INS_LIMIT,
  SIGN_IN_BODY_LIMIT,
  BUNDLE_ENTRY_LIMIT,
  CONDITIONAL_DELETE_LIMIT,
  CONTENT_LIMIT,
  ON_LEDGER_LIMIT,
  BODY_LIMIT,
  LARGEST_PAGE,
  MATCH_LIMIT,
  COMPARED_CHARACTERS,
  LONGEST_IDENTIFIER,
  PATCH_LIMIT,
  BATCH_ANSWER_LIMIT,
  EXPANSION_DEPTH,
  EXPANSION_LIMIT,
  EXPANSION_WORK,
  EXPORT_LIMIT,
  FILTER_LIMIT,
  INCLUDE_LIMIT,
  INDEXED_WORDS,
  ISSUE_LIMIT,
  REASON_LIMIT,
  TERM_LIMIT,
  ...Object.fromEntries(
    Object.entries(groups).flatMap(([group, own]) =>
      Object.entries(own).map(([name, value]) => [`${group}.${name}`, value]),
    ),
  ),
};

describe('the table of limits in docs/fhir.md', () => {
  it('is what the code says, and whole', () => {
    const text = readFileSync(join(projectRoot, 'docs/fhir.md'), 'utf8');
    const rows = [...text.matchAll(/\| `([A-Za-z_.]+)`\s+\|\s*([\d,]+) \|/g)];
    const written = Object.fromEntries(
      rows.map(([, name, value]) => [name ?? '', Number((value ?? '').replaceAll(',', ''))]),
    );
    assert.deepEqual(written, limits);
  });
});
