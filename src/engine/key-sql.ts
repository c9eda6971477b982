/**
 * The SQL of a part of keys. A key is never compared as text with another: it is cast in two halves, checked, re-keyed, and
 * gone.
 */
import { isOneOf } from './column-check.ts'
import { registrationNumberAsSerial } from './identifier-shape.ts'
import { serialIsWellFormed } from './judged-rows.ts'
import type { PartSource } from './part-source.ts'
import { quoteIdentifier, quoteText } from './session.ts'
import { sortedOptions } from './sorted-files.ts'

/** Every type of key that there is; a token file has a column for each, t1 for K1 and so on. */
export const allKeyTypes = ['K1', 'K2', 'K3', 'K4', 'K5'] as const

/** What can be wrong with a key, as the agency is told. */
export const mistakes = ['upper case', 'base64', 'wrong length', 'not hexadecimal'] as const
/** A fault or a quarantined key is counted as column × 8 + one of these; the serial is the column past the keys. */
export const keyCodes = { perColumn: 8, quarantine: 7, serial: 1, identifier: 2 } as const

/**
 * The statement that reads, checks, re-keys and writes a part, sorted by serial: a linkage writes its maps in this order.
 * Needs the functions `token_of` and `set_aside`.
 */
export function copyOfKeys(
  source: PartSource,
  part: { keyTypes: readonly string[]; quarantine: readonly string[]; output: string },
): string {
  const tokens = allKeyTypes.map((type) => {
    const index = part.keyTypes.indexOf(type)
    return index < 0 ? `null::uuid as ${tokenName(type)}` : tokenOf(type, index, part.quarantine)
  })
  const halves = part.keyTypes.flatMap((type) => {
    const [first, last] = halfNames(type)
    const key = quoteIdentifier(type)
    return [
      `try_cast(left(${key}, 32) as uuid) as ${first}`,
      `try_cast(right(${key}, 32) as uuid) as ${last}`,
    ]
  })
  // Both halves are cast, and bad keys left out, below the function, so that none reaches it.
  return `
    copy (
      select serial, ${tokens.join(',\n        ')}
      from (
        select *, case when ${goodOf(part.keyTypes)}
          then true else set_aside(${keyFaultOf(part.keyTypes)}) end as is_good
        from (select ${['*', ...halves].join(',\n          ')} from ${source.sql})
      )
      where is_good
      order by serial
    ) to ${quoteText(part.output)} (${sortedOptions})`
}

function tokenOf(type: string, index: number, quarantine: readonly string[]): string {
  const [first, last] = halfNames(type)
  const token = `token_of(${first}, ${last})`
  if (quarantine.length === 0) return `${token} as ${tokenName(type)}`
  const code = index * keyCodes.perColumn + keyCodes.quarantine
  const firsts = quarantine.map((key) => `${quoteText(key.slice(0, 32))}::uuid`)
  return `case
          when ${first} is null then null
          when not (case when ${first} in (${firsts.join(', ')})
            then ${isOneOf(quoteIdentifier(type), quarantine)} else false end) then ${token}
          when set_aside(${code}) then null end as ${tokenName(type)}`
}

function halfNames(type: string): [first: string, last: string] {
  return [quoteIdentifier(`${type} first half`), quoteIdentifier(`${type} last half`)]
}

/** The column of a type's tokens. */
export function tokenName(type: string): string {
  return type.replace('K', 't')
}

function goodOf(keyTypes: readonly string[]): string {
  const keys = keyTypes.map((type) => {
    const key = quoteIdentifier(type)
    const [first, last] = halfNames(type)
    // Thirty-two characters that read as a UUID are thirty-two hexadecimal digits; a regular expression costs more.
    return `(${key} is null or strlen(${key}) = 64 and lower(${key}) = ${key}
          and ${first} is not null and ${last} is not null)`
  })
  const serial = `${serialIsWellFormed} and not ${registrationNumberAsSerial}`
  return [serial, ...keys].join('\n        and ')
}

/** The code of a row's first fault, NULL for a good row. */
export function keyFaultOf(keyTypes: readonly string[]): string {
  const serial = keyTypes.length * keyCodes.perColumn
  const keys = keyTypes.map((type, index) => {
    const key = quoteIdentifier(type)
    const code = (mistake: (typeof mistakes)[number]): number =>
      index * keyCodes.perColumn + mistakes.indexOf(mistake)
    return `when regexp_full_match(${key}, '[0-9a-f]{64}') then null
          when regexp_full_match(${key}, '[0-9A-Fa-f]{64}') then ${code('upper case')}
          when regexp_full_match(${key}, '[A-Za-z0-9+/_-]{43}=?') then ${code('base64')}
          when strlen(${key}) <> 64 then ${code('wrong length')}
          when ${key} is not null then ${code('not hexadecimal')}`
  })
  const first = keys.map((branches) => `case ${branches} end`)
  return `(case
          when ${registrationNumberAsSerial} then ${serial + keyCodes.identifier}
          when not ${serialIsWellFormed} then ${serial + keyCodes.serial}
          else coalesce(${[...first, 'null'].join(', ')}) end)::integer`
}
