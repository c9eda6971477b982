/**
 * Links that an agency doubts: it names a serial of its own that it believes to be linked to somebody else. What the rules
 * made and nothing contradicts is a case then, like any other: two people decide, and the next linkage does as they say. The
 * index keeps who is doubted, so that a case stays on the list until it is decided.
 */
import { rowsOf } from '../linkage/records.ts'
import { quoteText, type Session } from '../session.ts'

/** What one agency doubts: CSV, one column `serial`. */
export type Doubts = { agency: string; file: string }

/**
 * Table `doubt` (agency: number, serial, spine_serial: the record of the spine that it is doubted with; NULL: of whomever
 * it is linked to), of these files and of the index; and `carried_doubt` (agency, serial, ordinal, pass, pattern, wave),
 * empty.
 */
export async function takeDoubts(
  session: Session,
  doubts: readonly Doubts[],
  agencies: readonly string[],
): Promise<void> {
  const sent = doubts.map(
    ({ agency, file }) => `
      select ${quoteText(agency)} as agency, serial, null::varchar as spine_serial
      from read_csv(${quoteText(file)}, columns = {serial: 'VARCHAR'}, header = true, auto_detect = false, delim = ',')
      union`,
  )
  await session.run(`
    create temp table carried_doubt (
      agency utinyint, serial varchar, ordinal integer, pass tinyint, pattern varchar, wave integer
    );
    create temp table doubt as
    select (list_position(names, agency) - 1)::utinyint as agency, serial, spine_serial
    from (
      ${sent.join('')}
      select agency, serial, spine_serial from known_case where reason = 'doubt'
    )
    cross join (select [${agencies.map(quoteText).join(', ')}] as names)
    where list_contains(names, agency)`)
}

/**
 * Adds to `carried_doubt` the doubted records of an agency that are under an older linkage key and linked all the same.
 * Needs `linked_table`.
 */
export function carriedDoubtStep(
  agency: number,
  deliveries: readonly { wave: number; files: readonly string[] }[],
): string {
  const sent = deliveries.map(
    (delivery) => `select serial, ${delivery.wave} as wave from ${rowsOf(delivery)}`,
  )
  return `
    insert into carried_doubt
    select ${agency}, serial, ordinal, pass, pattern, max(wave)
    from (from linked_table where serial in (select serial from doubt where agency = ${agency}))
    anti join record_${agency} using (serial)
    join (${sent.join(' union all ')}) as sent using (serial)
    where ordinal is not null
    group by all`
}

/**
 * Table `doubted_record`: doubted records of others than the spine, each with the person that it is linked to. A doubted
 * record under the linkage key in force is never placed by one join (`decidedTokenStep`, `linkage/places.ts`).
 */
export const doubtedRecordStep = (spine: number): string => `
  create temp table doubted_record as
  with founded as (
    select serial as spine_serial, ordinal
    from spine_link
    where serial in (select spine_serial from doubt where spine_serial is not null)
  ), place as (
    select agency, serial, ordinal, pass, pattern, t2
    from placed
    join (select agency, serial, t2 from kept_record) as kept using (agency, serial)
    where agency <> ${spine} and ordinal is not null
    union all
    select agency, serial, ordinal, pass, pattern, null from carried_doubt
  )
  select distinct agency, serial, place.ordinal, pass, pattern, t2
  from doubt
  join place using (agency, serial)
  left join founded using (spine_serial)
  where spine_serial is null or founded.ordinal = place.ordinal`

/** Table `doubted_spine` (a, b: the lesser serial first): a doubted record of the spine beside each other of its person. */
export function doubtedSpineStep(spine: number): string {
  return `
  create temp table doubted_spine as
  select distinct least(one.serial, other.serial) as a, greatest(one.serial, other.serial) as b
  from doubt
  join spine_link as one using (serial)
  join spine_link as other on other.ordinal = one.ordinal and other.serial <> one.serial
  where doubt.agency = ${spine}
    and (spine_serial is null or spine_serial = other.serial)
    and (least(one.serial, other.serial), greatest(one.serial, other.serial)) not in (
      select (serial, spine_serial) from decided where agency = ${spine} and verdict = 'must-link'
    )`
}
