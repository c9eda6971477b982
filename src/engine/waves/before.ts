/** The links of the linkage before: what changed since, and what is carried over a change of the linkage key. */
import { decidedPass } from '../../core/passes.ts'
import type { Agency } from '../linkage/agencies.ts'
import { rowsOf } from '../linkage/records.ts'
import { quoteText, type Session } from '../session.ts'

/** Links of one agency against the linkage before. */
export type LinkChange = { attached: number; detached: number; moved: number }

/**
 * Table `before_link` (serial, ordinal, pass, pattern): where an agency's serials stood in the linkage before, as places in
 * the list of this one; who was merged is their survivor.
 *
 * @param maps - link maps of the linkage before; their ordinals are those of the key index.
 */
export function beforeStep(maps: readonly string[]): string {
  return `
    create or replace temp table before_link as
    select serial, person.ordinal, pass, pattern
    from ${linksIn(maps)} as link
    join known_person using (ordinal)
    left join merged on merged.person = known_person.person
    join person on person.person = coalesce(merged.other, known_person.person)`
}

function linksIn(maps: readonly string[]): string {
  const from =
    maps.length === 0
      ? `(select null::varchar as serial, null::integer as ordinal, null::tinyint as pass, null::varchar as pattern
          where false)`
      : `read_parquet([${maps.map(quoteText).join(', ')}])`
  return `(
      select serial, any_value(ordinal) as ordinal, any_value(pass) as pass, any_value(pattern) as pattern
      from ${from}
      where ordinal is not null
      group by serial
    )`
}

/**
 * Table `carried` (agency, serial, person): serials under an older linkage key of agencies that are free of duplicates, with
 * the person that each stays with. A second serial of the agency with a key of that person is a conflict, though their
 * tokens do not meet. Needs the views `sent_<n>`.
 *
 * @param before - agency → link maps of the linkage before.
 */
export function carriedSerialSteps(
  agencies: readonly Agency[],
  before: Readonly<Record<string, readonly string[]>>,
): string[] {
  return [
    'create temp table carried (agency utinyint, serial varchar, person uuid)',
    ...agencies
      .filter(({ isDuplicateFree, retired }) => isDuplicateFree && retired.length > 0)
      .map(
        ({ agency, name }) => `
        insert into carried
        select ${agency}, link.serial, known_person.person
        from ${linksIn(before[name] ?? [])} as link
        join known_person using (ordinal)
        anti join sent_${agency} as sent on sent.serial = link.serial`,
      ),
  ]
}

/**
 * Table `carried_token` (t1): numbers of persons with a carried serial, where the same agency has them on another. They are
 * looked at record by record. Needs the views `record_<n>`.
 */
export function carriedTokenStep(spine: number): string {
  return `
  create temp table carried_token as
  select distinct own.t1
  from carried
  join known_spine as known using (person)
  join record_${spine} as own on own.serial = known.serial
  semi join record on record.agency = carried.agency and record.t1 = own.t1`
}

/**
 * Adds to `linked_table` the serials of deliveries under an older linkage key. Their tokens meet no others any more; they
 * stay with the person they were linked to, or with nobody, unless people decided otherwise. Needs `placed`.
 */
export function carriedStep(
  agency: number,
  deliveries: readonly { files: readonly string[] }[],
): string {
  const serials = deliveries.map((delivery) => `select serial from ${rowsOf(delivery)}`)
  return `
    insert into linked_table
    with stays as (
      from before_link
      anti join (
        select serial, ordinal
        from decided_other
        join person using (founding)
        where agency = ${agency} and not is_one
      ) as banned using (serial, ordinal)
    ), said as (
      select serial, ordinal, pass, pattern from placed where agency = ${agency} and pass = ${decidedPass}
    )
    select old.serial, null, coalesce(said.ordinal, stays.ordinal), coalesce(said.pass, stays.pass, 9),
      coalesce(said.pattern, stays.pattern)
    from (${serials.join(' union ')}) as old
    anti join linked_table on linked_table.serial = old.serial
    left join said on said.serial = old.serial
    left join stays on stays.serial = old.serial and said.serial is null`
}

/** Compares `linked` with `before_link`. */
export async function linkChange(session: Session): Promise<LinkChange> {
  const [counted] = await session.rows<LinkChange>(`
    select count(*) filter (before_link.ordinal is null and linked.ordinal is not null) as attached,
      count(*) filter (before_link.ordinal is not null and linked.ordinal is null) as detached,
      count(*) filter (before_link.ordinal <> linked.ordinal) as moved
    from linked
    left join before_link using (serial)`)
  return counted ?? { attached: 0, detached: 0, moved: 0 }
}
