/**
 * Links that an agency doubts: it names a serial of its own that it believes to be linked to somebody else. What the rules
 * made and nothing contradicts is a case then, like any other: two people decide, and the next linkage does as they say. The
 * index keeps who is doubted, so that a case stays on the list until it is decided. A record under an older linkage key stays
 * where it is until it is delivered again, and no doubt of it is a case before.
 */
import { quoteText, type Session } from '../session.ts'

/** What one agency doubts: CSV, one column `serial`. */
export type Doubts = { agency: string; file: string }

/**
 * Table `doubt` (agency: number, serial, spine_serial: the record of the spine that it is doubted with; NULL: of whomever it is
 * linked to), of these files and of the index.
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
 * Table `doubted_record`: doubted records of others than the spine, each with the person that it is linked to. A doubted record
 * is never placed by one join (`decidedTokenStep`, `linkage/maps.ts`).
 */
export const doubtedRecordStep = (spine: number): string => `
  create temp table doubted_record as
  with founded as (
    select serial as spine_serial, ordinal
    from spine_link
    where serial in (select spine_serial from doubt where spine_serial is not null)
  )
  select distinct agency, serial, placed.ordinal, pass, pattern, t2
  from doubt
  join placed using (agency, serial)
  join (select agency, serial, t2 from kept_record) as kept using (agency, serial)
  left join founded using (spine_serial)
  where agency <> ${spine} and placed.ordinal is not null
    and (spine_serial is null or founded.ordinal = placed.ordinal)`

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
