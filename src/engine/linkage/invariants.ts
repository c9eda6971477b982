/**
 * What must hold of every person after every run, looked for among all links. A violation is a defect of the rules or of this
 * program: nothing is published.
 */
import { Refusal } from '../../core/errors.ts'
import { decidedPass } from '../../core/passes.ts'
import type { Session } from '../session.ts'

/** Table `member`: every link of every agency, as far as the invariants need it. */
export const memberStep = `
  create temp table member (ordinal integer, agency utinyint, number ubigint, k4 ubigint)`

/**
 * Adds the links of table `linked`. A promoted link has another number by the project's own wish, and what two people decided
 * goes before every rule.
 */
export function addMembersStep(agency: number): string {
  return `
  insert into member
  select ordinal, ${agency}, case when pass < 7 or is_spine then number end, k4
  from linked
  where ordinal is not null and pass <> ${decidedPass}`
}

/** What there is to say of agencies: by number, who is the spine and who is free of duplicates. */
export type Declared = readonly { agency: number; isSpine: boolean; isDuplicateFree: boolean }[]

/**
 * @throws {Refusal} `state-conflict` with the number of persons that break each invariant.
 */
export async function requireInvariants(
  session: Session,
  persons: number,
  agencies: Declared,
): Promise<void> {
  const bit = agencies.length < 62 ? '1::bigint << agency' : '1::hugeint << agency'
  const spine = agencies.find(({ isSpine }) => isSpine)?.agency ?? 0
  const free = agencies.flatMap(({ agency, isDuplicateFree }) => (isDuplicateFree ? [agency] : []))
  const isFree = `agency in (${free.length === 0 ? 'null' : free.join(', ')})`
  const [found] = await session.rows<Record<string, number>>(`
    with of_decision as (
      select ordinal from person join settled_spine using (founding) join spine_label using (serial)
    ), person_of_members as (
      select ordinal,
        count(*) filter (agency = ${spine}) as spine_serials,
        min(number) <> max(number)
          and ordinal not in (
            select ordinal from person join founding_label on label = founding
          ) as has_numbers,
        min(k4) <> max(k4) and ordinal not in (from of_decision) as has_k4s,
        count(*) filter (${isFree}) > bit_count(coalesce(bit_or(${bit}) filter (${isFree}), 0))
          and ordinal not in (from of_decision) as has_serials
      from member
      group by ordinal
    )
    select
      ${persons} - count(*) + count(*) filter (spine_serials = 0) as "withoutSpine",
      count(*) filter (has_numbers) as "numbers",
      count(*) filter (has_k4s) as "k4s",
      count(*) filter (has_serials) as "serials"
    from person_of_members`)
  const broken = Object.entries(found ?? {}).filter(([, count]) => count !== 0)
  if (found !== undefined && broken.length === 0) return
  throw new Refusal(
    'state-conflict',
    'The linkage breaks what must hold of every person. Nothing was published; tell the operator.',
    Object.fromEntries(broken),
  )
}
