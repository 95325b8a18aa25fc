/** Limits of one gateway's imports, all in the table of docs/fhir.md. */
export const IMPORT_LIMITS = {
  /** Files of one import. */
  files: 100,
  /** Bytes of one file, as it is once its Content-Encoding is taken off. */
  fileBytes: 4 * 1024 ** 3,
  /** Bytes of one line. */
  lineBytes: 4 * 1024 ** 2,
  /** Imports under way. */
  underWay: 4,
  /** Imports remembered. */
  remembered: 100,
  /** Problems of one import that are told line by line. */
  problems: 10_000,
  /** Seconds until a file's server goes on answering. */
  silentSeconds: 30,
  /** Hours for which an import goes on: who asked for it may not be who they were. */
  hours: 24,
} as const;

/** The limits in another size, for tests that go beyond them. */
export type ImportLimits = Readonly<Record<keyof typeof IMPORT_LIMITS, number>>;
