/**
 * The key index of a project: what one linkage leaves for the next, so that persons outlive deliveries
 * (`shared/LINKAGE.md`, "Waves"). It is one Parquet file of the key side, with rows of four kinds:
 *
 * | kind | columns | |
 * |---|---|---|
 * | spine | serial, person, t1, t4, version, first_wave, last_wave | a record of the spine, whose person it is, its keys in force |
 * | | ordinal, founded | on one record of each living person: its place in that linkage's list, the version that founded it |
 * | | other | the number that the record came with, where its person has another: a merge gave that one up |
 * | change | person, other, reason, version | a number that was given up (`merge`) or that another came out of (`split`) |
 * | case | case_id, agency, serial, spine_serial, reason | what people may decide on, or ever could; `doubt`: for an agency doubts the link |
 * | together | serial, spine_serial | records of one person that a notice under an older linkage key joined |
 *
 * What carries a person from wave to wave is the serial of its spine record, which the registry keeps, and not the token: a
 * corrected number would otherwise carry a person's history to whoever really has that number.
 */
import { quoteText } from '../session.ts'

/** The key index that a linkage goes on from. */
export type KeyIndex = {
  file: string
  /** Counted from 1; a linkage writes the next. */
  version: number
  /** Of the linkage key under which its tokens are. */
  epoch: number
  /** Versions whose persons have been shown in a release: who was shown first keeps their number when two become one. */
  releasedVersions: readonly number[]
}

export const indexColumns = `kind, ordinal, person, other, reason, serial, spine_serial, agency, case_id, t1, t4,
  version, founded, first_wave, last_wave`

const columns = `kind varchar, ordinal integer, person uuid, other uuid, reason varchar, serial varchar,
  spine_serial varchar, agency varchar, case_id uuid, t1 uuid, t4 uuid, version integer, founded integer,
  first_wave smallint, last_wave smallint`

/**
 * Views `known_person`, `known_spine` and `known_case`, tables `known_change` and `known_together`, and table
 * `used_number` (every number that somebody has or had); all empty before the first linkage.
 */
export function knownSteps(known: KeyIndex | undefined): string[] {
  const from = known ? `read_parquet(${quoteText(known.file)})` : 'no_index'
  const of = (kind: string, wanted: string): string =>
    `select ${wanted} from ${from} where kind = ${quoteText(kind)}`
  const released = (known?.releasedVersions ?? []).map((version) => `(${version})`)
  return [
    `create temp table no_index (${columns})`,
    `create temp view known_person as
      ${of('spine', 'ordinal, person, founded as version')} and ordinal is not null`,
    `create temp view known_spine as
      ${of('spine', 'serial, person, coalesce(other, person) as born, t1, t4, version, first_wave, last_wave')}`,
    `create temp table known_change as ${of('change', 'person, other, reason, version')}`,
    `create temp view known_case as ${of('case', 'case_id, agency, serial, spine_serial, reason')}`,
    `create temp table known_together as ${of('together', 'serial, spine_serial')}`,
    `create temp table used_number as
      select person from known_person
      union
      select unnest([person, other]) from known_change`,
    `create temp table released (version integer)`,
    ...(released.length > 0 ? [`insert into released values ${released.join(', ')}`] : []),
  ]
}
