/**
 * Canonical JSON (RFC 8785, JCS): one text for one value, so that a digest of the text is a digest
 * of the value.
 *
 * Numbers and strings are written by the language itself, whose rules RFC 8785 adopts (sections
 * 3.2.2.2 and 3.2.2.3); what is ours is the order of properties and the refusal of what JSON cannot
 * carry.
 */

/** What JSON can carry. A property that is `undefined` is no property. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json | undefined }

const depthMax = 64

/**
 * The canonical text of a value: no white space, properties in the order of their names' UTF-16
 * code units.
 *
 * A property that is `undefined` is left out, as `JSON.stringify` does. Whole numbers beyond 2^53
 * are written as RFC 8785 has it; who needs them exact sends them as text.
 *
 * @throws {TypeError} for what JSON cannot carry: NaN, an infinity, a lone surrogate, a date, a
 * class, a missing value in an array, or more than 64 levels. A defect in the caller.
 */
export function canonicalJson(value: Json): string {
  return textOf(value, 0)
}

function textOf(value: Json | undefined, depth: number): string {
  if (depth > depthMax) throw new TypeError('a value is nested too deeply for canonical JSON')
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return textOfString(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('canonical JSON has finite numbers only')
    return JSON.stringify(value)
  }
  if (typeof value !== 'object') throw new TypeError('canonical JSON cannot carry this type')
  if (isArray(value)) {
    // Array.from visits the holes that map would pass over.
    return `[${Array.from(value, (member) => textOf(member, depth + 1)).join(',')}]`
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError('canonical JSON has plain objects only')
  }
  const members: string[] = []
  for (const name of Object.keys(value).sort()) {
    const member = value[name]
    if (member !== undefined) members.push(`${textOfString(name)}:${textOf(member, depth + 1)}`)
  }
  return `{${members.join(',')}}`
}

function textOfString(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('canonical JSON has no lone surrogates')
  return JSON.stringify(text)
}

/** `Array.isArray` does not narrow a readonly array away from an object. */
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
