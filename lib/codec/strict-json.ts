/** A JSON value as `JSON.parse` gives it. Read members with `Object.hasOwn`: a name may be `__proto__`. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [name: string]: JsonValue };

const usualDepth = 16;
// A byte order mark is kept so that the JSON grammar refuses it (RFC 8259 §8.1).
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads JSON text so that no two readers can disagree about it: besides malformed text, duplicate member names at any
 * depth (RFC 7515 §4, RFC 7519 §4) and nesting beyond `deepest` levels are refused. Gives undefined then. Never throws.
 * Does not bound the length of the text: its caller has.
 */
export function parseStrictJson(text: string, deepest = usualDepth): JsonValue | undefined {
  if (!opensAtMost(text, deepest)) return parseScanned(text, deepest);
  const value = parsed(text);
  // What the engine writes just so has no name twice. Most texts are written so, and it is quicker to ask than to look.
  return value === undefined || JSON.stringify(value) === text ? value : withoutDuplicates(value, text, deepest);
}

/** The depth is looked at first: how deep an engine may nest is its own affair. */
function parseScanned(text: string, deepest: number): JsonValue | undefined {
  if (membersIn(text, deepest) === null) return undefined;
  const value = parsed(text);
  return value === undefined ? undefined : withoutDuplicates(value, text, deepest);
}

function withoutDuplicates(value: JsonValue, text: string, deepest: number): JsonValue | undefined {
  return membersOf(value) === membersIn(text, deepest) ? value : undefined;
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a text has so few brackets that it cannot nest deeper, wherever they stand. */
function opensAtMost(text: string, most: number): boolean {
  let left = most;
  for (const bracket of '{[')
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) if (--left < 0) return false;
  return true;
}

/** The same for bytes that must be valid UTF-8 and hold a JSON object (RFC 7519 §7.2); null otherwise. */
export function parseStrictJsonObject(bytes: Uint8Array, deepest = usualDepth): JsonObject | null {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return null;
  }
  const value = parseStrictJson(text, deepest);
  return isJsonObject(value) ? value : null;
}

/** Whether a value is a JSON object: not null, not an array. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member that the object has itself, never an inherited one. */
export function member(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Members written in the text: one colon outside of strings for each. Null when it nests too deeply. */
function membersIn(text: string, deepest: number): number | null {
  let members = 0;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case 0x22: // "
        index = endOfString(text, index);
        break;
      case 0x3a: // :
        members++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > deepest) return null;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
    }
  }
  return members;
}

/** Index of the quote that closes the string opened at `start`, or the end of a text that never closes it. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === 0x5c) escapes++;
    if (escapes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/** Members that survived parsing: a duplicate name leaves fewer than were written. */
function membersOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  const held = Object.values(value) as readonly JsonValue[];
  let members = Array.isArray(value) ? 0 : held.length;
  for (const inner of held) members += membersOf(inner);
  return members;
}
