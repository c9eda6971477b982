/**
 * The records of a linkage: a serial of an agency with the keys of the last wave that brought it. Views `record_0`,
 * `record_1` and so on, one an agency, and `record`, all of them. Every other step reads these.
 */
import { quoteText } from '../session.ts'

/** An agency as the statements see it, by number, from 0: the token files of each of its deliveries, by wave. */
export type AgencyFiles = {
  agency: number
  isSpine: boolean
  isDuplicateFree: boolean
  deliveries: readonly { wave: number; files: readonly string[] }[]
}

/** The statements that make the views. */
export function recordSteps(agencies: readonly AgencyFiles[]): string[] {
  const steps = agencies.flatMap((agency) => {
    const [only, ...others] = agency.deliveries
    const from = only && others.length === 0 ? rowsOf(only) : `last_word_${agency.agency}`
    const view = `
      create temp view record_${agency.agency} as
      select ${agency.agency}::utinyint as agency, ${agency.isSpine} as is_spine,
        ${agency.isDuplicateFree} as is_duplicate_free, serial, t1, t2, t3, t4, t5
      from ${from}`
    return others.length === 0 ? [view] : [lastWordStep(agency), view]
  })
  const all = agencies.map(({ agency }) => `select * from record_${agency}`)
  return [...steps, `create temp view record as ${all.join(' union all ')}`]
}

/** The rows of token files, as they are. */
export function rowsOf({ files }: { files: readonly string[] }): string {
  return `read_parquet([${files.map(quoteText).join(', ')}])`
}

/** A later wave says again what an agency knows of a serial, and its last word counts. */
function lastWordStep({ agency, deliveries }: AgencyFiles): string {
  const waves = deliveries.map(
    (delivery) => `select ${delivery.wave} as wave, * from ${rowsOf(delivery)}`,
  )
  return `
    create temp table last_word_${agency} as
    select * exclude (wave)
    from (${waves.join(' union all ')})
    qualify row_number() over (partition by serial order by wave desc) = 1`
}
