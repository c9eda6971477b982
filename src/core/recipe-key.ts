/**
 * The reference of the recipe: obvious and slow, one person at a time. The agency's tool computes the same in SQL over
 * columns and is tested against this.
 */
import { createHmac } from 'node:crypto'
import type { FieldRule, KeyType, Recipe } from './recipe.ts'
import { capitals, dashes, folded, halfWidth, whiteSpace } from './recipe-text.ts'

/** A person's fields as the agency's file has them, by the recipe's field names. */
export type RawPerson = Readonly<Record<string, string | undefined>>

/**
 * A field in its one form, or undefined if it is empty or invalid.
 *
 * - `registration-number`: full width folded, blanks and dashes removed; then 13 digits that begin with a real date. The
 *   seventh digit gives the century: 1, 2, 5, 6 the 1900s; 3, 4, 7, 8 the 2000s; 9, 0 the 1800s, which a cancer registry
 *   still holds. The check digit is not tested: numbers since October 2020 need not satisfy it.
 * - `birth-date`: YYYYMMDD, or the same with `-`, `.` or `/` between; a real date from 1800 to 2099.
 * - `name`, `name-tokens`, `identifier`, `sex`: see `FieldRule`. Folding comes before NFC, so that a base letter and its
 *   mark also meet when the base was full width or an invisible character stood between them.
 */
export function normalisedField(rule: FieldRule, raw: string): string | undefined {
  const text = folded(raw, halfWidth).normalize('NFC')
  switch (rule) {
    case 'registration-number':
      return registrationNumberOf(text)
    case 'birth-date':
      return dateOf(text)
    case 'sex': {
      const sex = folded(text, capitals)
      return sex === 'M' || sex === 'F' ? sex : undefined
    }
    case 'name':
      return capital(text) || undefined
    case 'name-tokens':
      return sortedTokens(raw) || undefined
    case 'identifier':
      return text || undefined
  }
}

/**
 * What is hashed: version, key type and fields in their one form, each preceded by its length in bytes (4 bytes,
 * big-endian), UTF-8. So no two different lists of fields give the same bytes.
 */
export function keyMessage(version: string, type: KeyType, fields: readonly string[]): Buffer {
  const pieces: Buffer[] = []
  for (const text of [version, type, ...fields]) {
    const bytes = Buffer.from(text, 'utf8')
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    pieces.push(length, bytes)
  }
  return Buffer.concat(pieces)
}

/**
 * The key of a person: HMAC-SHA-256 (FIPS 198-1) of `keyMessage`, 64 lower-case hex.
 *
 * @returns undefined, the EMPTY key, if the recipe lacks the type or any field is empty or invalid.
 */
export function keyOf(
  agenciesKey: Uint8Array,
  recipe: Recipe,
  type: KeyType,
  person: RawPerson,
): string | undefined {
  const fields = normalisedFields(recipe, type, person)
  if (fields === undefined) return undefined
  const message = keyMessage(recipe.version, type, fields)
  return createHmac('sha256', agenciesKey).update(message).digest('hex')
}

/** The fields of a key in order and in their one form; undefined if one is empty or invalid. */
export function normalisedFields(
  recipe: Recipe,
  type: KeyType,
  person: RawPerson,
): string[] | undefined {
  const names = recipe.keyTypes[type]
  if (names === undefined) return undefined
  const fields: string[] = []
  for (const name of names) {
    const rule = recipe.fields[name]
    const field = rule === undefined ? undefined : normalisedField(rule, person[name] ?? '')
    if (field === undefined) return undefined
    fields.push(field)
  }
  return fields
}

function registrationNumberOf(text: string): string | undefined {
  const digits = [...text].filter((character) => !dashes.includes(character)).join('')
  if (!/^[0-9]{13}$/.test(digits)) return undefined
  const century = centuries[Number(digits[6])] ?? ''
  return isRealDate(century + digits.slice(0, 6)) ? digits : undefined
}

/** The century by the seventh digit of a registration number, 0 to 9. */
const centuries = ['18', '19', '19', '20', '20', '19', '19', '20', '20', '18'] as const

function dateOf(text: string): string | undefined {
  const parts = /^([0-9]{4})[-./]?([0-9]{2})[-./]?([0-9]{2})$/.exec(text)
  if (parts === null) return undefined
  const date = parts.slice(1).join('')
  return isRealDate(date) ? date : undefined
}

function isRealDate(yyyymmdd: string): boolean {
  const [year, month, day] = [
    Number(yyyymmdd.slice(0, 4)),
    Number(yyyymmdd.slice(4, 6)),
    Number(yyyymmdd.slice(6)),
  ]
  if (year < 1800 || year > 2099 || month < 1 || month > 12 || day < 1) return false
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
  return day <= days
}

function sortedTokens(raw: string): string {
  const tokens: string[] = ['']
  for (const character of raw) {
    if (whiteSpace.includes(character)) tokens.push('')
    else tokens.push((tokens.pop() ?? '') + character)
  }
  return tokens
    .map((token) => capital(folded(token, halfWidth).normalize('NFC')))
    .sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    .join('')
}

/** In capitals; NFC once more, for a capital may compose with a mark where the small letter did not. */
function capital(text: string): string {
  return folded(text, capitals).normalize('NFC')
}
