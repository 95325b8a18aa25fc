/** Tokens: code and system, with the text a person reads. */
import { BESIDE, type IndexRows } from './rows.js';
import { normalized } from './text.js';

interface Coding {
  readonly system?: string;
  readonly code?: string;
  readonly display?: string;
}

interface CodeableConcept {
  readonly coding?: readonly Coding[];
  readonly text?: string;
}

interface Identifier {
  readonly system?: string;
  readonly value?: string;
  readonly type?: CodeableConcept;
}

function coding(rows: IndexRows, parameter: number, value: Coding): void {
  if (value.code === undefined && value.display === undefined && value.system === undefined) return;
  rows.term(parameter, value.code ?? '', value.system ?? '', text(value.display));
}

function concept(rows: IndexRows, parameter: number, value: CodeableConcept): void {
  const own = text(value.text);
  let told = own === '';
  for (const each of value.coding ?? []) {
    coding(rows, parameter, each);
    told ||= text(each.display) === own;
  }
  if (!told) rows.term(parameter, '', '', own);
}

function identifier(rows: IndexRows, parameter: number, value: Identifier): void {
  if (value.value === undefined && value.system === undefined) return;
  const own = value.value ?? '';
  rows.term(parameter, own, value.system ?? '', text(value.type?.text));
  for (const type of value.type?.coding ?? []) rows.term(parameter + BESIDE, own, typeKey(type.system, type.code));
}

/** Type of an identifier as `:of-type` names it. */
function typeKey(system = '', code = ''): string {
  return `${system}|${code}`;
}

function contact(rows: IndexRows, parameter: number, value: { system?: string; value?: string }): void {
  if (value.value !== undefined) rows.term(parameter, value.value, value.system ?? '');
}

function plain(rows: IndexRows, parameter: number, value: string | boolean | number): void {
  rows.term(parameter, String(value));
}

function text(value: string | undefined): string {
  return value === undefined ? '' : normalized(value);
}

/** Converters of `token` parameters. */
export const tokenConverters = {
  CodeableConcept: concept,
  Coding: coding,
  Identifier: identifier,
  ContactPoint: contact,
  code: plain,
  id: plain,
  string: plain,
  boolean: plain,
  uri: plain,
  canonical: plain,
  integer: plain,
  positiveInt: plain,
  unsignedInt: plain,
} as const;
