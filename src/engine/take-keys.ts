/**
 * A delivered part of keys becomes tokens: every key is re-keyed as it is read, and nothing of it is written.
 *
 * A key is 64 lower-case hexadecimal digits or empty. One that is not, a serial that is not well formed or is there twice,
 * refuses the whole part: an agency whose keys are made wrongly must make them again. The keys of the empty identifier and
 * of common placeholders are taken for empty ones, and counted.
 */
import { rm } from 'node:fs/promises'
import { Refusal } from '../core/errors.ts'
import { isOneOf } from './column-check.ts'
import type { OnColumn } from './column-function.ts'
import { registrationNumberAsSerial } from './identifier-shape.ts'
import { type MediaType, openPart, type PartSource, positionsOf, reading } from './part-source.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'
import { parquetOptions, type Refusals, serialIsWellFormed } from './take-table.ts'

/** Every type of key that there is; a token file has a column for each, t1 for K1 and so on. */
export const allKeyTypes = ['K1', 'K2', 'K3', 'K4', 'K5'] as const

export type TakeKeys = {
  /** A file in the session's scratch directory. */
  input: string
  mediaType: MediaType
  /** The key types that the agency declared: the columns the part must have beside `serial`. */
  keyTypes: readonly string[]
  /** Keys (n × 32 bytes) → tokens (n × 16 bytes). */
  tokensOf: OnColumn
  /** Keys, as 64 hexadecimal digits, that stand for no identifier. */
  quarantine: readonly string[]
  /** The token Parquet file to write: serial VARCHAR, t1 to t5 UUID. */
  output: string
}

export type TakenKeys = {
  rows: number
  taken: number
  /** Key type → rows without it. */
  empty: Record<string, number>
  /** Key type → rows whose key stood for no identifier; not counted in `empty`. */
  quarantined: Record<string, number>
  /** Always empty: a fault in a part of keys refuses it whole. */
  refusals: Refusals
}

/** What can be wrong with a key, as the agency is told. */
const mistakes = ['upper case', 'base64', 'wrong length', 'not hexadecimal'] as const
const codesPerColumn = 8
const codeOfQuarantine = 7
const codeOfSerial = 1
const codeOfIdentifier = 2

/**
 * Takes a part of keys.
 *
 * @throws {Refusal} `column-missing`, `column-unknown`, `key-not-canonical`, `identifier-in-payload`, `input-malformed`,
 *   `disk-full`. Details are columns, mistakes, counts and lines.
 */
export async function takeKeys(session: Session, part: TakeKeys): Promise<TakenKeys> {
  const source = await openPart(session, part.input, part.mediaType)
  requireColumns(source, part.keyTypes)
  const tally = new Map<number, number>()
  session.registerTally('set_aside', tally)
  session.registerColumnFunction('token_of', 32, part.tokensOf)
  const rows = await reading(source, async () => {
    const [copied] = await session.rows<{ Count: number }>(copyOf(source, part))
    return copied?.Count ?? 0
  })
  const quarantined = countsOf(part.keyTypes, (_, index) => {
    return tally.get(index * codesPerColumn + codeOfQuarantine) ?? 0
  })
  if ([...tally.keys()].some((code) => code % codesPerColumn !== codeOfQuarantine)) {
    await rm(part.output, { force: true })
    throw await faultOf(session, source, part.keyTypes)
  }
  await refuseRepeatedSerial(session, source, part.output)
  const [filled] = await session.rows<Record<string, number>>(`
    select ${part.keyTypes.map((type) => `count(${tokenName(type)}) as ${type}`).join(', ')}
    from read_parquet(${quoteText(part.output)})`)
  const empty = countsOf(part.keyTypes, (type) => {
    return rows - (filled?.[type] ?? 0) - (quarantined[type] ?? 0)
  })
  return { rows, taken: rows, empty, quarantined, refusals: {} }
}

function requireColumns(source: PartSource, keyTypes: readonly string[]): void {
  if (!keyTypes.every((type) => (allKeyTypes as readonly string[]).includes(type))) {
    throw new RangeError('a key type that does not exist')
  }
  const names = ['serial', ...keyTypes]
  const missing = names.find((name) => !source.columns.has(name))
  if (missing !== undefined) {
    throw new Refusal('column-missing', 'A column of the keys is missing. Add it, or its header.', {
      column: missing,
    })
  }
  const unknown = [...source.columns.keys()].findIndex((name) => !names.includes(name))
  if (unknown >= 0) {
    throw new Refusal('column-unknown', 'A part of keys holds the serial and declared keys only.', {
      position: unknown + 1,
    })
  }
  if ([...source.columns.values()].every((type) => type === 'VARCHAR')) return
  throw new Refusal('key-not-canonical', 'Keys and serials are text: 64 lower-case hex digits.', {
    mistake: 'not text',
  })
}

function copyOf(source: PartSource, part: TakeKeys): string {
  const tokens = allKeyTypes.map((type) => {
    const index = part.keyTypes.indexOf(type)
    return index < 0 ? `null::uuid as ${tokenName(type)}` : tokenOf(type, index, part.quarantine)
  })
  // Both halves of a key are cast before the function sees them, so that no bad key reaches it.
  return `
    copy (
      select serial, ${tokens.join(',\n        ')}
      from ${source.sql}
      where case when ${goodOf(part.keyTypes)} then true else set_aside(${codeOf(part.keyTypes)}) end
    ) to ${quoteText(part.output)} (${parquetOptions})`
}

function tokenOf(type: string, index: number, quarantine: readonly string[]): string {
  const key = quoteIdentifier(type)
  const token = `token_of(try_cast(left(${key}, 32) as uuid), try_cast(right(${key}, 32) as uuid))`
  if (quarantine.length === 0) return `${token} as ${tokenName(type)}`
  const code = index * codesPerColumn + codeOfQuarantine
  return `case when ${key} is null then null
          when not ${isOneOf(key, quarantine)} then ${token}
          when set_aside(${code}) then null end as ${tokenName(type)}`
}

function tokenName(type: string): string {
  return type.replace('K', 't')
}

function goodOf(keyTypes: readonly string[]): string {
  const keys = keyTypes.map((type) => {
    const key = quoteIdentifier(type)
    return `(${key} is null or regexp_full_match(${key}, '[0-9a-f]{64}'))`
  })
  const serial = `${serialIsWellFormed} and not ${registrationNumberAsSerial}`
  return [serial, ...keys].join('\n        and ')
}

/** Column × 8 + mistake, the serial as column one past the keys. */
function codeOf(keyTypes: readonly string[]): string {
  const serial = keyTypes.length * codesPerColumn
  const keys = keyTypes.map((type, index) => {
    const key = quoteIdentifier(type)
    const code = (mistake: (typeof mistakes)[number]): number =>
      index * codesPerColumn + mistakes.indexOf(mistake)
    return `when regexp_full_match(${key}, '[0-9a-f]{64}') then null
          when regexp_full_match(${key}, '[0-9A-Fa-f]{64}') then ${code('upper case')}
          when regexp_full_match(${key}, '[A-Za-z0-9+/_-]{43}=?') then ${code('base64')}
          when strlen(${key}) <> 64 then ${code('wrong length')}
          when ${key} is not null then ${code('not hexadecimal')}`
  })
  const first = keys.map((branches) => `case ${branches} end`)
  return `(case
          when ${registrationNumberAsSerial} then ${serial + codeOfIdentifier}
          when not ${serialIsWellFormed} then ${serial + codeOfSerial}
          else coalesce(${[...first, 'null'].join(', ')}) end)::integer`
}

/** The first fault in file order, looked for in a second pass. */
async function faultOf(
  session: Session,
  source: PartSource,
  keyTypes: readonly string[],
): Promise<Refusal> {
  const [first] = await session.rows<{ code: number; row: number; rows: number }>(`
    select code, min(row_number) as row, count(*) as rows
    from (
      select row_number, case when ${goodOf(keyTypes)} then null else ${codeOf(keyTypes)} end as code
      from ${source.numberedSql}
    )
    where code is not null
    group by code
    order by row
    limit 1`)
  if (first === undefined) throw new Error('a fault that is not found again')
  const line = (await positionsOf(source, [first.row])).get(first.row) ?? first.row
  const column = keyTypes[Math.floor(first.code / codesPerColumn)]
  const where = { line, rows: first.rows }
  if (column !== undefined) {
    return new Refusal('key-not-canonical', 'A key is not 64 lower-case hexadecimal digits.', {
      column,
      mistake: mistakes[first.code % codesPerColumn] ?? '',
      ...where,
    })
  }
  return first.code % codesPerColumn === codeOfIdentifier
    ? new Refusal('identifier-in-payload', 'A serial looks like a registration number.', {
        column: 'serial',
        ...where,
      })
    : new Refusal('input-malformed', 'A serial is not 1 to 64 letters, digits, dots or hyphens.', {
        column: 'serial',
        reason: 'serial-malformed',
        ...where,
      })
}

async function refuseRepeatedSerial(
  session: Session,
  source: PartSource,
  output: string,
): Promise<void> {
  const [counted] = await session.rows<{ repeated: number }>(`
    select count(*) - count(distinct serial) as repeated from read_parquet(${quoteText(output)})`)
  if (!counted?.repeated) return
  await rm(output, { force: true })
  const [second] = await session.rows<{ row: number }>(`
    select min(row_number) as row
    from (
      select row_number, row_number() over (partition by serial order by row_number) as nth
      from ${source.numberedSql}
    )
    where nth = 2`)
  const row = second?.row ?? 0
  throw new Refusal('input-malformed', 'A serial is in the part twice. One row a person.', {
    column: 'serial',
    reason: 'repeated',
    rows: counted.repeated,
    line: (await positionsOf(source, [row])).get(row) ?? row,
  })
}

function countsOf(
  keyTypes: readonly string[],
  count: (type: string, index: number) => number,
): Record<string, number> {
  return Object.fromEntries(keyTypes.map((type, index) => [type, count(type, index)]))
}
