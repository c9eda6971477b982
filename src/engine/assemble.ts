/**
 * A typed part joined with its delivery's link map becomes a cohort part: the serial goes, the ordinal of the person comes.
 * Rows of persons outside the spine, and rows of serials that no key part named, are left out and counted.
 */
import { EngineError } from './engine-error.ts'
import { diskFull } from './part-source.ts'
import { quoteText, type Session } from './session.ts'
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
export type Assembled = { rows: number; kept: number; outside: number; unknown: number }

const codeOfOutside = 1
const codeOfUnknown = 2

/** Assembles one part. The map is the build side of the join: the part streams through and may be of any size. */
export async function assemblePart(session: Session, files: AssemblePart): Promise<Assembled> {
  const tally = new Map<number, number>()
  session.registerTally('left_out', tally)
  const [copied] = await session
    .rows<{ Count: number }>(`
      copy (
        select ordinal, * exclude (ordinal, serial, map_serial)
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
  return { rows: kept + outside + unknown, kept, outside, unknown }
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
