/** Structure, cardinality, types and invariants of resources (R4 validation.html), by Medplum's validator. */
import {
  isDataTypeLoaded,
  loadDataType,
  OperationOutcomeError,
  validateResource,
  type TypedValueWithPath,
} from '@medplum/core';
import type { OperationOutcomeIssue, Resource, StructureDefinition } from '@medplum/fhirtypes';

import { Refusal } from '../ledger/refusal.js';
import { generatedDefinitions, isResourceType } from '../projection/generated.js';
import { isPlainlyValid } from './acceptance.js';
import { bindingIssues } from './bindings.js';
import type { JsonObject } from './json.js';
import { misplacedValues } from './misplaced.js';
import { IssuesRefusal, type Issue } from './outcome.js';

/** Issues told of one resource; more help nobody. */
export const ISSUE_LIMIT = 50;
/** Bytes of one base64Binary, decoded. */
export const CONTENT_LIMIT = 1_048_576;

/** Throws IssuesRefusal (422 invalid-content, or 400 structure for what is no R4 element at all). */
export function requireValid(resource: JsonObject): void {
  loadTypesOf(resource);
  if (isPlainlyValid(resource)) return;
  const issues = validationIssues(resource).filter((issue) => issue.severity !== 'warning');
  if (issues.length === 0) return;
  const structural = issues.every((issue) => issue.code === 'structure');
  throw new IssuesRefusal(structural ? 'structure' : 'invalid-content', issues.slice(0, ISSUE_LIMIT));
}

/** What is wrong with a resource; empty when nothing is. Numbers must be plain. */
export function validationIssues(resource: JsonObject): Issue[] {
  loadTypesOf(resource);
  const tokens: Record<string, TypedValueWithPath[]> = {};
  const issues = structuralIssues(resource, tokens).filter((each) => !isSpaced(resource, each) && !isToldApart(each));
  const told = new Set(issues.flatMap(({ expression }) => expression ?? []));
  const misplaced = misplacedValues(resource).filter(({ expression }) => !told.has(expression?.[0] ?? ''));
  const empty = emptyLists(resource, String(resource.resourceType));
  return [...issues, ...misplaced, ...empty, ...bindingIssues(tokens)];
}

function structuralIssues(resource: JsonObject, tokens: Record<string, TypedValueWithPath[]>): Issue[] {
  const options = { collect: { tokens }, base64BinaryMaxBytes: CONTENT_LIMIT };
  try {
    return validateResource(resource as unknown as Resource, options).map(issueOf);
  } catch (error) {
    if (error instanceof OperationOutcomeError) return error.outcome.issue.map(issueOf);
    throw new Refusal('invalid', 'structure', 'the resource is not built as R4 says', { cause: error });
  }
}

/**
 * Whether what is told is told better apart: of several values of a choice the validator tells one by its bare name, and
 * of a reference that leads where it may not it only warns.
 */
function isToldApart({ severity, diagnostics, expression: [path = 'Resource'] = [] }: Issue): boolean {
  return !/^[A-Z]/.test(path) || (severity === 'warning' && diagnostics?.startsWith('Invalid reference:') === true);
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Whether what is told of base64 is its white space alone, which readers pass over (R4 datatypes.html#base64Binary). */
function isSpaced(resource: JsonObject, { diagnostics, expression }: Issue): boolean {
  if (diagnostics !== 'Invalid base64Binary format') return false;
  const steps = (expression?.[0] ?? '').split(/[.[\]]+/).filter((step) => step !== '');
  let value: unknown = resource;
  for (const step of steps.slice(1)) value = (value as JsonObject | null | undefined)?.[step];
  return typeof value === 'string' && /\S/.test(value) && BASE64.test(value.replaceAll(/\s/g, ''));
}

/** Lists without an element (R4 json.html: a property is there only if it has a value). */
function emptyLists(value: unknown, path: string): Issue[] {
  if (typeof value !== 'object' || value === null) return [];
  if (!Array.isArray(value))
    return Object.entries(value).flatMap(([name, each]) => emptyLists(each, `${path}.${name}`));
  if (value.length > 0) return value.flatMap((each, at) => emptyLists(each, `${path}[${at}]`));
  const diagnostics = 'a list has at least one element: leave it out';
  return [{ severity: 'error', code: 'structure', diagnostics, expression: [path] }];
}

/** What is wrong with a resource by a profile; undefined where the profile has no snapshot, or is of another type. */
export function issuesByProfile(resource: JsonObject, profile: JsonObject): Issue[] | undefined {
  if (profile.snapshot === undefined || profile.type !== resource.resourceType) return undefined;
  loadTypesOf(resource);
  try {
    const options = { profile: profile as unknown as StructureDefinition, base64BinaryMaxBytes: CONTENT_LIMIT };
    return validateResource(resource as unknown as Resource, options).map(issueOf);
  } catch (error) {
    if (error instanceof OperationOutcomeError) return error.outcome.issue.map(issueOf);
    throw new Refusal('invalid', 'unprocessable', 'the profile cannot be read', { cause: error });
  }
}

function issueOf(issue: OperationOutcomeIssue): Issue {
  const diagnostics = issue.details?.text ?? issue.diagnostics ?? 'not valid';
  return {
    severity: issue.severity,
    code: issue.code,
    diagnostics,
    ...(issue.expression === undefined ? {} : { expression: issue.expression.map(withoutChoice) }),
  };
}

/** FHIRPath names an element with a choice of types without it (R4 fhirpath.html#poly). */
function withoutChoice(path: string): string {
  return path.replaceAll('[x]', '');
}

function loadTypesOf(resource: JsonObject): void {
  loadType(typeOf(resource));
  for (const inner of innerResources(resource)) loadTypesOf(inner);
}

let areDataTypesLoaded = false;

/**
 * Definitions are loaded when a resource first needs them: a start does not wait for the 146. The validator brings data
 * types of its own, which name no value sets: R4's stand in their place.
 */
export function loadType(type: string): void {
  if (!areDataTypesLoaded) {
    for (const definition of generatedDefinitions('types') as StructureDefinition[]) loadDataType(definition);
    areDataTypesLoaded = true;
  }
  if (!isDataTypeLoaded(type)) loadDataType(generatedDefinitions(type) as StructureDefinition);
}

function typeOf(resource: JsonObject): string {
  const type = resource.resourceType;
  if (typeof type === 'string' && isResourceType(type)) return type;
  throw new Refusal('invalid', 'structure', 'resourceType is missing or no resource type of R4');
}

/** Contained resources, and those in a Bundle or in Parameters. */
function innerResources(resource: JsonObject): JsonObject[] {
  const { contained, entry, parameter } = resource;
  return [
    ...objects(contained),
    ...[...objects(entry), ...objects(parameter)].flatMap((each) => objects([each.resource])),
  ];
}

function objects(value: unknown): JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.filter((each): each is JsonObject => typeof each === 'object' && each !== null);
}
