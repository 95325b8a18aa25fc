/** A bug that could have been written, and the test that would have caught it. */
export interface Bug {
  readonly name: string;
  /** Compiled file, from the project's root. */
  readonly file: string;
  /** What stands there once; what the bug puts in its place. */
  readonly search: string;
  readonly replace: string;
  /** Compiled test file below test/dist, and a part of the title of the test that must fail. */
  readonly test: string;
  readonly title: string;
  /** It starts no processes: it is planted in every run of the tests. */
  readonly isQuick?: true;
}
