import { caseName, type PolicyCase } from './case.ts';
import type { CaseResult } from './decide.ts';

/** One member that came out otherwise than expected. */
export interface Mismatch {
  readonly member: string;
  readonly found: unknown;
  readonly wanted: unknown;
}

/** A case with what came out of it. */
export interface Outcome {
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
  readonly mismatches: readonly Mismatch[];
  readonly result: CaseResult;
}

/** Compares what came out with what was expected; members that the case does not name are not compared. */
export function judge(file: string, one: PolicyCase, result: CaseResult): Outcome {
  const { upstream = {}, ...wanted } = one.expect;
  const mismatches: Mismatch[] = [];
  for (const [member, value] of Object.entries(wanted)) {
    const found = result[member as keyof CaseResult];
    const same = member === 'scope' ? sorted(found) === sorted(value) : found === value;
    if (!same) mismatches.push({ member, found, wanted: value });
  }
  for (const [field, value] of Object.entries(upstream)) {
    const found = result.upstream[field.toLowerCase()] ?? null;
    if (found !== value) mismatches.push({ member: `upstream ${field}`, found, wanted: value });
  }
  return { file, name: caseName(one), passed: mismatches.length === 0, mismatches, result };
}

function sorted(scope: unknown): string {
  return String(scope ?? '')
    .split(' ')
    .sort()
    .join(' ');
}

/** Lines for people: one for each case, and below a failed one what differs. */
export function caseLines(outcomes: readonly Outcome[]): readonly string[] {
  const lines = outcomes.flatMap(({ name, passed, mismatches, result }) => [
    `${passed ? 'ok  ' : 'FAIL'}  ${name}`,
    ...mismatches.map(
      ({ member, found, wanted }) =>
        `        ${member}: found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}${member === 'status' && result.reason !== null ? ` (${result.reason})` : ''}`,
    ),
  ]);
  const failed = outcomes.filter(({ passed }) => !passed).length;
  return [...lines, `${outcomes.length - failed} passed, ${failed} failed`];
}

/** The same as JUnit XML, one suite for each file. */
export function junit(outcomes: readonly Outcome[]): string {
  const files = Map.groupBy(outcomes, ({ file }) => file);
  const suites = [...files].map(([file, cases]) => {
    const failures = cases.filter(({ passed }) => !passed).length;
    const body = cases.map(({ name, passed, mismatches }) => {
      if (passed) return `    <testcase name="${xml(name)}"/>`;
      const text = mismatches
        .map(
          ({ member, found, wanted }) => `${member}: found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`,
        )
        .join('\n');
      return `    <testcase name="${xml(name)}"><failure message="${xml(text)}"/></testcase>`;
    });
    return [
      `  <testsuite name="${xml(file)}" tests="${cases.length}" failures="${failures}">`,
      ...body,
      '  </testsuite>',
    ];
  });
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites.flat(), '</testsuites>'].join('\n');
}

function xml(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, '?')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll('\n', '&#10;');
}
