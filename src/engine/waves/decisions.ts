/**
 * What people have decided of cases. A case is a record and a record of the spine; to decide is to say that they are one
 * person (`must-link`) or two (`cannot-link`), and every later run does as it was decided, until it is taken back.
 */
import type { CaseVerdict } from '../../core/link-case.ts'
import { decidedPass } from '../../core/passes.ts'
import { labelComponents } from '../linkage/components.ts'
import { quoteText, type Session } from '../session.ts'

/** What was decided last of a case. `undecided`: a decision was taken back, and the rules alone count. */
export type Verdict = { caseId: string; verdict: CaseVerdict }

/**
 * Tables `said` (case_id, verdict), `decided` (agency, serial, spine_serial, verdict), `spine_label` (serial, label:
 * spine records that were decided to be one person) and `spine_apart` (a, b: to be two, in both orders). Decisions of one
 * person that contradict one that keeps two of its records apart are left aside.
 *
 * What a notice joined is joined for good when the linkage key changes: the notice is under the older one. Table `together`
 * (serial, spine_serial) has these.
 *
 * @param of.agencies - names by number; `spine`: the spine's number; `isNewKey`: the tokens of the index meet none of these.
 * @returns how many spine records stand in decisions that contradict each other.
 */
export async function takeDecisions(
  session: Session,
  verdicts: readonly Verdict[],
  { agencies, spine, isNewKey }: { agencies: readonly string[]; spine: number; isNewKey: boolean },
): Promise<number> {
  const rows = verdicts.map(
    ({ caseId, verdict }) => `(${quoteText(caseId)}::uuid, ${quoteText(verdict)})`,
  )
  const values = rows.length > 0 ? `values ${rows.join(', ')}` : "select null::uuid, '' where false"
  await session.run(`create temp table said as select * from (${values}) as v (case_id, verdict)`)
  await session.run(`
    create temp table decided as
    select (list_position([${agencies.map(quoteText).join(', ')}], agency) - 1)::utinyint as agency,
      serial, spine_serial, verdict
    from known_case
    join said using (case_id)
    where verdict <> 'undecided' and list_contains([${agencies.map(quoteText).join(', ')}], agency)`)
  await session.run(`
    create temp table spine_apart as
    select unnest([serial, spine_serial]) as a, unnest([spine_serial, serial]) as b
    from decided where agency = ${spine} and verdict = 'cannot-link'`)
  await session.run(`
    create temp table together as
    select serial, spine_serial from known_together
    union
    select serial, min(serial) over (partition by person) from known_spine
    where ${isNewKey} and person in (
      select person from known_spine group by person having min(t1) <> max(t1)
    )`)
  await session.run(`
    create temp table spine_together as
    select serial as a, spine_serial as b
    from decided where agency = ${spine} and verdict = 'must-link'
    union
    select serial, spine_serial
    from together
    anti join spine_apart on a = serial and b = spine_serial
    where serial <> spine_serial`)
  await labelComponents(session, 'spine_together', 'together_label')
  await session.run(`
    create temp table spine_label as
    with torn as (
      select distinct a.label
      from spine_apart
      join together_label as a on a.node = spine_apart.a
      join together_label as b on b.node = spine_apart.b and b.label = a.label
    )
    select node as serial, label from together_label anti join torn using (label)`)
  const [counted] = await session.rows<{ torn: number }>(
    `select (select count(*) from together_label) - (select count(*) from spine_label) as torn`,
  )
  return counted?.torn ?? 0
}

/**
 * Table `decided_token`: the K1 of every record that a decision or a doubt names. They are looked at record by record.
 *
 * Needs the view `record` and the table `doubt`.
 */
export function decidedTokenStep(spine: number): string {
  return `
  create temp table decided_token as
  with named as (
    select agency, serial from decided
    union
    select ${spine}::utinyint, spine_serial from decided
    union
    select agency, serial from doubt
  )
  select distinct t1 from record semi join named using (agency, serial) where t1 is not null`
}

/** Table `decided_other` (agency, serial, founding, is_one): decisions on records that are not of the spine. */
export function decidedOtherStep(spine: number): string {
  return `
  create temp table decided_other as
  select decided.agency, decided.serial, founding, bool_or(verdict = 'must-link') as is_one
  from decided
  join settled_spine on settled_spine.serial = decided.spine_serial
  where decided.agency <> ${spine}
  group by all`
}

/**
 * Records that people said are somebody's, into `by_weaker`; a record said to be two persons' is in conflict. Needs
 * `person`.
 */
export const decidedPlaceStep = `
  insert into by_weaker
  select decided_other.agency, serial,
    case when min(ordinal) = max(ordinal) then min(ordinal) end, ${decidedPass}, '....', null, null
  from decided_other
  join person using (founding)
  where is_one
  group by decided_other.agency, serial`
