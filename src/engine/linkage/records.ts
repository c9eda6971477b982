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
  /** All records are in one file, in order of serial. */
  isSorted: boolean
  deliveries: readonly { wave: number; files: readonly string[] }[]
}

/**
 * The statements that make the views `sent_<n>`: serial, t1 to t5, first_wave and last_wave of every serial of an agency, as
 * the last wave that brought it says; and `file_row`, its place in `recordsFrom`, from 0.
 *
 * @param rowsIn - file → how many rows it has.
 */
export function sentSteps(
  agencies: readonly AgencyFiles[],
  rowsIn: ReadonlyMap<string, number>,
): string[] {
  return agencies.flatMap((agency) => {
    const [only, ...others] = agency.deliveries
    const from =
      only && others.length === 0
        ? `(select *, ${only.wave} as first_wave, ${only.wave} as last_wave from ${numberedRowsOf(only, rowsIn)})`
        : `(select *, rowid as file_row from last_word_${agency.agency})`
    const view = `
      create temp view sent_${agency.agency} as
      select serial, t1, t2, t3, t4, t5, first_wave::smallint as first_wave, last_wave::smallint as last_wave,
        file_row -- As the file counts it: so the engine finds a row by it without reading the others.
      from ${from}`
    return only && others.length === 0 ? [view] : [lastWordStep(agency), view]
  })
}

/** What the records of an agency are read from, in the order of their `file_row`: its files, or what several waves say. */
export function recordsFrom({
  agency,
  deliveries,
}: Pick<AgencyFiles, 'agency' | 'deliveries'>): string {
  const [only, ...others] = deliveries
  return only && others.length === 0 ? rowsOf(only) : `last_word_${agency}`
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

const noRows = `select 0 as wave, null::varchar as serial, null::uuid as t1, null::uuid as t2, null::uuid as t3,
  null::uuid as t4, null::uuid as t5 where false`

/** The rows of token files, as they are. */
export function rowsOf({ files }: { files: readonly string[] }): string {
  return `read_parquet([${files.map(quoteText).join(', ')}])`
}

/** The same with `file_row`. */
function numberedRowsOf(
  { files }: { files: readonly string[] },
  rowsIn: ReadonlyMap<string, number>,
): string {
  let before = 0
  const firsts = files.map((file) => {
    const first = before
    before += rowsIn.get(file) ?? 0
    return first
  })
  const first = files.length > 1 ? ` + [${firsts.join(', ')}][file_index::bigint + 1]` : ''
  return `(
    select * exclude (file_row_number), file_row_number${first} as file_row
    from read_parquet([${files.map(quoteText).join(', ')}], file_row_number = true))`
}

/** A later wave says again what an agency knows of a serial, and its last word counts. */
function lastWordStep({ agency, deliveries }: AgencyFiles): string {
  const waves = deliveries.map(
    (delivery) => `select ${delivery.wave} as wave, * from ${rowsOf(delivery)}`,
  )
  return `
    create table last_word_${agency} as
    select * exclude (wave), min(wave) over (partition by serial) as first_wave, wave as last_wave
    from (${waves.length > 0 ? waves.join(' union all ') : noRows})
    qualify row_number() over (partition by serial order by wave desc) = 1`
}
