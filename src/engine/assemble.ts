/**
 * A typed part joined with its delivery's link map becomes a cohort part: the serial goes, the ordinal of the person comes.
 * Rows of persons outside the spine, and rows of serials that no key part named, are left out and counted.
 */
import { EngineError } from './engine-error.ts'
import { diskFull } from './part-source.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'
import { parquetOptions } from './take-table.ts'

export type AssemblePart = {
  /** Typed Parquet: serial and columns. */
  part: string
  /** Parquet: serial VARCHAR, ordinal INTEGER; every serial of the delivery, the ordinal NULL where it is not linked. */
  map: string
  /** Parquet to write: ordinal INTEGER and the columns, rows in the order of the part. */
  output: string
}

/** Rows of the part = kept + outside + unknown. */
export type Assembled = {
  rows: number
  kept: number
  outside: number
  unknown: number
  /** Column → rows in whose text the serial stands again. Such a column does not leave. */
  serialIn: Record<string, number>
}

const codeOfOutside = 1
const codeOfUnknown = 2
/** From here on: one a column of text. */
const codeOfFirstText = 3
/** A shorter serial would be found in many a text by chance. */
const serialLengthMin = 8

/** Assembles one part. The map is the build side of the join: the part streams through and may be of any size. */
export async function assemblePart(session: Session, files: AssemblePart): Promise<Assembled> {
  const tally = new Map<number, number>()
  session.registerTally('left_out', tally)
  const texts = await textsOf(session, files.part)
  const held = texts.map((name, at) => {
    const text = quoteIdentifier(name)
    const isInside = `case when strlen(${text}) < strlen(serial) or strlen(serial) < ${serialLengthMin}
        then false else contains(${text}, serial) end`
    return `case when ${isInside} then case when left_out(${codeOfFirstText + at}) then null else ${text} end
        else ${text} end as ${text}`
  })
  const [copied] = await session
    .rows<{ Count: number }>(`
      copy (
        select ordinal, * exclude (ordinal, serial, map_serial)
          ${held.length === 0 ? '' : `replace (${held.join(', ')})`}
        from (
          select part.*, map.serial as map_serial, map.ordinal
          from read_parquet(${quoteText(files.part)}) as part
          left join read_parquet(${quoteText(files.map)}) as map on map.serial = part.serial
        )
        where case
          when ordinal is not null then true
          when map_serial is not null then left_out(${codeOfOutside})
          else left_out(${codeOfUnknown}) end
      ) to ${quoteText(files.output)} (${parquetOptions})`)
    .catch((error: unknown) => {
      throw error instanceof EngineError && error.kind === 'disk-full' ? diskFull() : error
    })
  const kept = copied?.Count ?? 0
  const outside = tally.get(codeOfOutside) ?? 0
  const unknown = tally.get(codeOfUnknown) ?? 0
  const found = texts.map((name, at) => [name, tally.get(codeOfFirstText + at) ?? 0] as const)
  const serialIn = Object.fromEntries(found.filter(([, rows]) => rows > 0))
  return { rows: kept + outside + unknown, kept, outside, unknown, serialIn }
}

/** The columns of text of a typed part, but for the serial. */
async function textsOf(session: Session, part: string): Promise<string[]> {
  const columns = await session.rows<{ column_name: string; column_type: string }>(
    `describe from read_parquet(${quoteText(part)})`,
  )
  return columns.flatMap(({ column_name: name, column_type: type }) =>
    type === 'VARCHAR' && name !== 'serial' ? [name] : [],
  )
}

/**
 * Writes a typed part again without the rows of serials that its map does not name any more: records of nobody that have
 * waited long enough.
 */
export async function thinPart(session: Session, files: AssemblePart): Promise<void> {
  await session.run(`
    copy (
      select part.*
      from read_parquet(${quoteText(files.part)}) as part
      semi join read_parquet(${quoteText(files.map)}) as map on map.serial = part.serial
    ) to ${quoteText(files.output)} (${parquetOptions})`)
}
