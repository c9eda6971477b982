/**
 * The records of a linkage: a serial of an agency with the keys of the last wave that brought it. Views `record_0`,
 * `record_1` and so on, one an agency, and `record`, all of them. Every other step reads these. A record of the spine
 * whose keys are held back (`waves/held.ts`) has the keys that it had before.
 */
import { quoteText } from '../session.ts'

/** An agency as the statements see it, by number, from 0: the token files of each of its deliveries, by wave. */
export type AgencyFiles = {
  agency: number
  isSpine: boolean
  isDuplicateFree: boolean
  /** All records are in one file, in order of serial: they have a `file_row`. */
  isSorted: boolean
  deliveries: readonly { wave: number; files: readonly string[] }[]
}

/**
 * The statements that make the views `sent_<n>`: serial, t1 to t5, first_wave and last_wave of every serial of an agency, as
 * the last wave that brought it says; and `file_row`, NULL where the records are not in one sorted file.
 */
export function sentSteps(agencies: readonly AgencyFiles[]): string[] {
  return agencies.flatMap((agency) => {
    const [only, ...others] = agency.deliveries
    const from =
      others.length === 0
        ? `(select *, ${only?.wave ?? 0} as first_wave, ${only?.wave ?? 0} as last_wave
            from ${only ? numberedRowsOf(only, agency.isSorted) : noRows})`
        : `last_word_${agency.agency}`
    const fileRow = agency.isSorted ? 'file_row_number' : 'null::bigint'
    const view = `
      create temp view sent_${agency.agency} as
      select serial, t1, t2, t3, t4, t5, first_wave::smallint as first_wave, last_wave::smallint as last_wave,
        ${fileRow} as file_row
      from ${from}`
    return others.length === 0 ? [view] : [lastWordStep(agency), view]
  })
}

/** The statements that make the views `record_<n>` and `record`. Needs the table `held` where keys are held back. */
export function recordSteps(agencies: readonly AgencyFiles[], isAnyHeld: boolean): string[] {
  const steps = agencies.map((agency) => {
    const sent = `sent_${agency.agency}`
    const from =
      agency.isSpine && isAnyHeld
        ? `(select ${sent}.* replace (
              case when held.serial is null then ${sent}.t1 else held.t1 end as t1,
              case when held.serial is null then ${sent}.t4 else held.t4 end as t4)
            from ${sent} left join held using (serial))`
        : sent
    return `
      create temp view record_${agency.agency} as
      select ${agency.agency}::utinyint as agency, ${agency.isSpine} as is_spine,
        ${agency.isDuplicateFree} as is_duplicate_free, serial, t1, t2, t3, t4, t5,
        first_wave, last_wave, file_row
      from ${from}`
  })
  const all = agencies.map(({ agency }) => `select * from record_${agency}`)
  return [...steps, `create temp view record as ${all.join(' union all ')}`]
}

const noRows = `(select null::varchar as serial, null::uuid as t1, null::uuid as t2, null::uuid as t3,
  null::uuid as t4, null::uuid as t5 where false)`

/** The rows of token files, as they are. */
export function rowsOf(delivery: { files: readonly string[] }): string {
  return numberedRowsOf(delivery, false)
}

function numberedRowsOf({ files }: { files: readonly string[] }, isNumbered: boolean): string {
  const numbered = isNumbered ? ', file_row_number = true' : ''
  return `read_parquet([${files.map(quoteText).join(', ')}]${numbered})`
}

/** A later wave says again what an agency knows of a serial, and its last word counts. */
function lastWordStep({ agency, deliveries }: AgencyFiles): string {
  const waves = deliveries.map(
    (delivery) => `select ${delivery.wave} as wave, * from ${rowsOf(delivery)}`,
  )
  return `
    create temp table last_word_${agency} as
    select * exclude (wave), min(wave) over (partition by serial) as first_wave, wave as last_wave
    from (${waves.join(' union all ')})
    qualify row_number() over (partition by serial order by wave desc) = 1`
}
