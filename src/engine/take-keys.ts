/**
 * A delivered part of keys becomes tokens: every key is re-keyed as it is read, and nothing of it is written.
 *
 * A key is 64 lower-case hexadecimal digits or empty. One that is not, a serial that is not well formed or is there twice,
 * refuses the whole part: an agency whose keys are made wrongly must make them again. The keys of the empty identifier and
 * of common placeholders are taken for empty ones, and counted.
 */
import { rm } from 'node:fs/promises'
import { Refusal } from '../core/errors.ts'
import type { OnColumn } from './column-function.ts'
import { allKeyTypes, copyOfKeys, keyCodes, keyFaultOf, mistakes, tokenName } from './key-sql.ts'
import { type MediaType, openPart, type PartSource, positionsOf, reading } from './part-source.ts'
import { repeatsIn } from './repeats.ts'
import { quoteText, type Session } from './session.ts'
import type { Refusals } from './take-table.ts'

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
  /** The token Parquet file to write: serial VARCHAR, t1 to t5 UUID; in order of serial. */
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
    const [copied] = await session.rows<{ Count: number }>(copyOfKeys(source, part))
    return copied?.Count ?? 0
  })
  const quarantined = countsOf(part.keyTypes, (_, index) => {
    return tally.get(index * keyCodes.perColumn + keyCodes.quarantine) ?? 0
  })
  if ([...tally.keys()].some((code) => code % keyCodes.perColumn !== keyCodes.quarantine)) {
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

/** The first fault in file order, looked for in a second pass. */
async function faultOf(
  session: Session,
  source: PartSource,
  keyTypes: readonly string[],
): Promise<Refusal> {
  const [first] = await session.rows<{ code: number; row: number; rows: number }>(`
    select code, min(row_number) as row, count(*) as rows
    from (
      select row_number, ${keyFaultOf(keyTypes)} as code
      from ${source.numberedSql}
    )
    where code is not null
    group by code
    order by row
    limit 1`)
  if (first === undefined) throw new Error('a fault that is not found again')
  const line = (await positionsOf(source, [first.row])).get(first.row) ?? first.row
  const column = keyTypes[Math.floor(first.code / keyCodes.perColumn)]
  const where = { line, rows: first.rows }
  if (column !== undefined) {
    return new Refusal('key-not-canonical', 'A key is not 64 lower-case hexadecimal digits.', {
      column,
      mistake: mistakes[first.code % keyCodes.perColumn] ?? '',
      ...where,
    })
  }
  return first.code % keyCodes.perColumn === keyCodes.identifier
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
  const rows = await repeatsIn(session, output, 'serial')
  if (rows === 0) return
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
    rows,
    line: (await positionsOf(source, [row])).get(row) ?? row,
  })
}

function countsOf(
  keyTypes: readonly string[],
  count: (type: string, index: number) => number,
): Record<string, number> {
  return Object.fromEntries(keyTypes.map((type, index) => [type, count(type, index)]))
}
