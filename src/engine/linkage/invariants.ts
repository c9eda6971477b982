/**
 * What must hold of every person after every run, looked for among all links. A violation is a defect of the rules or of
 * this program: nothing is published. What two people decided goes before every rule.
 */
import { Refusal } from '../../core/errors.ts'
import { decidedPass } from '../../core/passes.ts'
import type { Session } from '../session.ts'
import type { Outcomes } from './counts.ts'

const ofDecision = `
  select ordinal from person join settled_spine using (founding) join spine_label using (serial)`

/** Persons with several serials of the agency whose records are in `linked`, decisions left aside. */
export async function doubledPersons(session: Session): Promise<number> {
  const [found] = await session.rows<{ persons: number }>(`
    select count(*) as persons
    from (
      select ordinal
      from linked
      where ordinal is not null and pass <> ${decidedPass} and ordinal not in (${ofDecision})
      group by ordinal
      having count(*) > 1
    )`)
  return found?.persons ?? 0
}

/**
 * A link that one join made stands with its person's own number; of no such number has an agency a K4 that the spine does
 * not have (`k4_apart`). All other links are laid beside their persons here.
 *
 * @param flows - `doubled`: what `doubledPersons` found.
 * @throws {Refusal} `state-conflict` with how often each invariant is broken.
 */
export async function requireInvariants(
  session: Session,
  persons: number,
  {
    spine,
    agencies,
    doubled,
  }: {
    spine: string
    agencies: Record<string, Pick<Outcomes, 'linked' | 'duplicates'>>
    doubled: Record<string, number>
  },
): Promise<void> {
  // A promoted link has another number by the project's own wish.
  const [found] = await session.rows<{ numbers: number; k4s: number }>(`
    with link as (
      select ordinal, number, t4
      from settled anti join by_weaker using (agency, serial)
      where ordinal is not null
      union all
      select ordinal, case when pass < 7 then number end, t4
      from by_weaker
      where ordinal is not null and pass <> ${decidedPass}
    ), with_person as (
      from link
      union all
      select ordinal, t1, t4 from person semi join link using (ordinal)
    ), person_of_links as (
      select ordinal, min(number) <> max(number) as has_numbers, min(t4) <> max(t4) as has_k4s
      from with_person
      group by ordinal
    ), joined as (
      select ordinal from person join founding_label on label = founding
    )
    select count(*) filter (has_numbers and ordinal not in (from joined)) as numbers,
      count(*) filter (has_k4s and ordinal not in (${ofDecision})) as k4s
    from person_of_links`)
  const [differing] = await session.rows<{ k4s: number }>(`
    select count(*) as k4s from number_place semi join k4_apart using (t1)`)
  const { linked = 0, duplicates = 0 } = agencies[spine] ?? {}
  const broken = {
    withoutSpine: persons - (linked - duplicates),
    numbers: found?.numbers ?? 0,
    k4s: (differing?.k4s ?? 0) + (found?.k4s ?? 0),
    serials: sumOf(Object.values(doubled)),
  }
  if (found && differing && Object.values(broken).every((count) => count === 0)) return
  throw new Refusal(
    'state-conflict',
    'The linkage breaks what must hold of every person. Nothing was published; tell the operator.',
    Object.fromEntries(Object.entries(broken).filter(([, count]) => count !== 0)),
  )
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
