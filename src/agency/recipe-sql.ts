/**
 * The recipe of keys as SQL over columns: the same rules as core/recipe-key.ts, from the same tables of characters, and
 * tested against it. Each rule has a fast way for the text that is in its one form already, which is nearly all of it.
 */
import { createHash } from 'node:crypto'
import type { FieldRule, KeyType, Recipe } from '../core/recipe.ts'
import { keyMessage } from '../core/recipe-key.ts'
import { capitals, dashes, type Folding, halfWidth, whiteSpace } from '../core/recipe-text.ts'
import { quoteText } from '../engine/session.ts'

/** SQL for the one form of a field whose raw text is the SQL expression `raw`; NULL if empty or invalid. */
export function normalisedSql(rule: FieldRule, raw: string): string {
  switch (rule) {
    case 'registration-number':
      return orElse(
        { raw, shape: `[0-9]{2}${month}${day}-?[0-9]{7}` },
        realDateOr(
          `case when regexp_full_match(${raw}, '[0-9]{13}') then ${raw}
           else ${translate(plain(raw), { from: dashes, to: '' })} end`,
          { shape: '[0-9]{13}', date: (number) => `${century(number)} || left(${number}, 6)` },
        ),
      )
    case 'birth-date':
      return orElse(
        { raw, shape: `(18|19|20)[0-9]{2}-?${month}-?${day}` },
        realDateOr(
          `case when regexp_full_match(${raw}, '[0-9]{8}') then ${raw}
           else regexp_replace(${plain(raw)}, '^([0-9]{4})[-./]?([0-9]{2})[-./]?([0-9]{2})$', '\\1\\2\\3') end`,
          { shape: '(18|19|20)[0-9]{6}', date: (date) => date },
        ),
      )
    case 'sex':
      return `case when ${raw} in ('M', 'F') then ${raw}
        when ${capital(plain(raw))} in ('M', 'F') then ${capital(plain(raw))} end`
    case 'name':
      return nameSql(raw)
    case 'name-tokens':
      return `nullif(array_to_string(list_sort(list_transform(
        string_split_regex(${raw}, ${quoteText(`[${whiteSpace}]+`)}),
        lambda token: coalesce(${nameSql('token')}, ''))), ''), '')`
    case 'identifier':
      return `nullif(case when regexp_full_match(${raw}, '[!-~]*') then ${raw} else ${plain(raw)} end, '')`
  }
}

/**
 * SQL for a key, given SQL for its fields in their one form; NULL if one is NULL.
 *
 * Expects the variables `ipad` and `opad` of the session (`padsOf`): the agencies' key never stands in a statement.
 */
export function keySql(recipe: Recipe, type: KeyType, fields: readonly string[]): string {
  const start = keyMessage(recipe.version, type, []).toString('hex')
  const names = recipe.keyTypes[type] ?? []
  const pieces = fields.map((field, index) => framed(field, recipe.fields[names[index] ?? '']))
  const message = [`unhex('${start}')`, ...pieces].join(' || ')
  return `sha256(getvariable('opad') || unhex(sha256(getvariable('ipad') || ${message})))`
}

/** The key as the two blocks that HMAC-SHA-256 begins its hashes with (FIPS 198-1, steps 1 to 4 and 7). */
export function padsOf(agenciesKey: Uint8Array): { ipad: Uint8Array; opad: Uint8Array } {
  const block = Buffer.alloc(64)
  const short =
    agenciesKey.length > 64 ? createHash('sha256').update(agenciesKey).digest() : agenciesKey
  block.set(short)
  return { ipad: block.map((byte) => byte ^ 0x36), opad: block.map((byte) => byte ^ 0x5c) }
}

/** A field with its length in bytes before it; of most rules the length is known. */
function framed(field: string, rule: FieldRule | undefined): string {
  const known = { 'registration-number': 13, 'birth-date': 8, sex: 1 } as const
  const length = rule !== undefined && rule in known ? known[rule as keyof typeof known] : undefined
  const prefix =
    length === undefined
      ? `unhex(printf('%08x', strlen(${field})))`
      : `unhex('${length.toString(16).padStart(8, '0')}')`
  return `${prefix} || encode(${field})`
}

function nameSql(raw: string): string {
  return `nullif(case
    when regexp_full_match(${raw}, '[\\x{AC00}-\\x{D7A3}A-Z0-9]*') then ${raw}
    when regexp_full_match(${raw}, '[ -~]*') then upper(replace(${raw}, ' ', ''))
    else ${capital(plain(raw))} end, '')`
}

function plain(raw: string): string {
  return `nfc_normalize(${translate(raw, halfWidth)})`
}

function capital(text: string): string {
  return `nfc_normalize(${translate(text, capitals)})`
}

/** One `translate` for several foldings; characters without a counterpart are removed, so they stand last. */
function translate(text: string, ...foldings: Folding[]): string {
  const mapped = foldings.map(({ from, to }) => from.slice(0, to.length)).join('')
  const to = foldings.map((folding) => folding.to).join('')
  const removed = foldings.map((folding) => folding.from.slice(folding.to.length)).join('')
  return `translate(${text}, ${quoteText(mapped + removed)}, ${quoteText(to)})`
}

/** A month and a day that every year has. */
const month = '(0[1-9]|1[0-2])'
const day = '(0[1-9]|1[0-9]|2[0-8])'

/** Nine texts of ten are right by their shape alone, but for hyphens; `general` decides the others. */
function orElse({ raw, shape }: { raw: string; shape: string }, general: string): string {
  return `case when regexp_full_match(${raw}, '${shape}') then replace(${raw}, '-', '') else ${general} end`
}

function century(number: string): string {
  return `case when ${number}[7] in ('1', '2', '5', '6') then '19'
    when ${number}[7] in ('9', '0') then '18' else '20' end`
}

/** `text` where it has the shape and the date in it is real. */
function realDateOr(
  text: string,
  { shape, date }: { shape: string; date: (text: string) => string },
): string {
  // A list of one, so that DuckDB computes the text once.
  return `list_transform([${text}], lambda one: case when regexp_full_match(one, '${shape}')
    and try_strptime(${date('one')}, '%Y%m%d') is not null then one end)[1]`
}
