/** Limits of one gateway's imports, all in the table of docs/fhir.md. */
export const IMPORT_LIMITS = {
  /** Files of one import. */
  files: 100,
  /** Bytes of one file, as it is once its Content-Encoding is taken off. */
  fileBytes: 4 * 1024 ** 3,
  /** Bytes of one line. */
  lineBytes: 4 * 1024 ** 2,
  /** Lines that share a transaction. */
  partLines: 200,
  /** Bytes of the lines that share a transaction, which stays below 2 MB on the ledger. */
  partBytes: 1_000_000,
  /** Characters of inputSource. */
  sourceCharacters: 2_000,
  /** Imports under way. */
  underWay: 4,
  /** Imports under way of one person. */
  ofOnePerson: 1,
  /** Imports remembered. */
  remembered: 100,
  /** Days from its kick-off for which an import that is done is remembered. */
  rememberedDays: 7,
  /** Lines of one import that cannot be taken. */
  problems: 10_000,
  /** Attempts to read a file in which no further line was got. */
  attempts: 5,
  /** Seconds until a file's server goes on answering. */
  silentSeconds: 30,
  /** Bytes a second, on average over the time that a file was waited for, once that is longer than silentSeconds. */
  slowestBytes: 1_024,
  /** Hours for which an import goes on: who asked for it may not be who they were. */
  hours: 24,
} as const;

/** The limits in another size, for tests that go beyond them. */
export type ImportLimits = Readonly<Record<keyof typeof IMPORT_LIMITS, number>>;
