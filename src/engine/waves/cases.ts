/**
 * The cases of a run: a record and a record of the spine that may be one person, or of which something forbids it. People
 * decide on them; a case has the same number in every run. The number is made with the key that makes persons' numbers: a
 * project in which agencies have the same serials has other numbers, and nobody finds serials by trying.
 */
import type { LinkCase } from '../../core/link-case.ts'
import { quoteText, type Session } from '../session.ts'
import { parquetOptions } from '../take-table.ts'
import { doubtedRecordStep, doubtedSpineStep } from './doubts.ts'

/**
 * Table `work_case`: case_id, kind, agency (number), serial, spine_serial, ordinal, pass, pattern, candidates, t2. What was
 * decided is not in it. A case's number is a version 8 UUID (RFC 9562). Needs `person_of`.
 *
 * @param of.agencies - names by number; `spine`: the spine's number.
 */
export async function gatherCases(
  session: Session,
  { agencies, spine }: { agencies: readonly string[]; spine: number },
): Promise<void> {
  await session.run(doubtedRecordStep(spine))
  await session.run(doubtedSpineStep(spine))
  await session.run(recordPairs)
  await session.run(spinePairs)
  await session.run(`
    create temp table work_case as
    with first_record as (
      select ordinal, min(serial) as spine_serial
      from spine_link
      semi join record_pair using (ordinal)
      group by ordinal
    ), open_pair as (
      select record_pair.*, spine_serial
      from record_pair
      join first_record using (ordinal)
      anti join (select agency, serial, ordinal from decided_other join person using (founding)) as said
        using (agency, serial, ordinal)
      union all
      select kind, ${spine}::utinyint, a, ordinal, null, null, null, b
      from (select 'merge' as kind, a, b from spine_case union all select 'doubted', a, b from doubted_spine)
      join spine_link on serial = b
    )
    select (left(drawn, 12) || '8' || drawn[14:16] || '8' || drawn[18:32])::uuid as case_id, * exclude (drawn),
      count(*) over (partition by agency, serial)::integer as candidates
    from (
      select *, replace(person_of(left(sha256('case of '
        || [${agencies.map(quoteText).join(', ')}][agency + 1]
        || ' ' || serial || ' ' || spine_serial), 32)::uuid)::varchar, '-', '') as drawn
      from open_pair
    )`)
}

/** How many cases there are of each kind. */
export async function caseCounts(session: Session): Promise<Record<LinkCase['kind'], number>> {
  const rows = await session.rows<{ kind: LinkCase['kind']; cases: number }>(
    'select kind, count(*) as cases from work_case group by kind',
  )
  const counted = new Map(rows.map(({ kind, cases }) => [kind, cases]))
  const of = (kind: LinkCase['kind']): number => counted.get(kind) ?? 0
  return {
    possible: of('possible'),
    conflict: of('conflict'),
    merge: of('merge'),
    doubted: of('doubted'),
  }
}

const gravity = "list_position(['merge', 'conflict', 'doubted', 'possible'], kind), pass, case_id"

/**
 * The first cases of a run, the gravest first: two of the spine, conflicts, what is doubted, then what is possible. Every
 * record in a case is of the spine or kept, and so is every record of a name that both of a case have.
 */
export async function worklistOf(
  session: Session,
  { agencies, spine }: { agencies: readonly string[]; spine: number },
  casesMax: number,
): Promise<LinkCase[]> {
  const rows = await session.rows<LinkCase & { number: number }>(`
    with chosen as (
      from work_case
      order by ${gravity}
      limit ${casesMax}
    ), spine_wave as (
      select serial, last_wave
      from spine_link
      where serial in (
        select spine_serial from chosen union all select serial from chosen where agency = ${spine}
      )
    ), wave_of as (
      select agency, serial, last_wave from kept_record where not is_spine
      union all
      select agency, serial, wave from carried_doubt
      union all
      select ${spine}::utinyint, serial, last_wave from spine_wave
    ), named as (
      select t2, count(*)::integer as records from kept_record where t2 in (select t2 from chosen) group by t2
    )
    select case_id::varchar as "caseId", kind, agency as number,
      case when agency = ${spine} then greatest(last_wave, spine_wave) else last_wave end::integer as wave,
      pass, pattern, candidates, case when pattern[2] = '=' then records end as "nameShared"
    from chosen
    join wave_of using (agency, serial)
    join (select serial as spine_serial, last_wave as spine_wave from spine_wave) using (spine_serial)
    left join named using (t2)
    order by ${gravity}`)
  return rows.map(({ number, ...row }) => ({ ...row, agency: agencies[number] ?? '' }))
}

/**
 * Writes for the data side whose records the cases of the worklist are: case_id UUID, agency, serial, ordinal (of the
 * person in question), in order of the case's number, which tells nothing.
 */
export async function writeCaseList(
  session: Session,
  agencies: readonly string[],
  { casesMax, file }: { casesMax: number; file: string },
): Promise<void> {
  await session.run(`
    copy (
      select case_id, [${agencies.map(quoteText).join(', ')}][agency + 1] as agency, serial, ordinal
      from (from work_case order by ${gravity} limit ${casesMax})
      order by case_id
    ) to ${quoteText(file)} (${parquetOptions})`)
}

/** Table `record_pair`: records that are open, in conflict or doubted, each with every person it may be. */
const recordPairs = `
  create temp table record_pair as
  select 'possible' as kind, agency, serial, ordinal, possible_case.pass, pattern, unsettled.t2
  from possible_case
  semi join (from by_weaker where by_weaker.ordinal is null and by_weaker.pass in (7, 8)) as still using (agency, serial)
  join unsettled using (agency, serial)
  union all
  select 'conflict', agency, serial, pair.ordinal, by_weaker.pass, pair.pattern, pair.t2
  from pair
  join by_weaker using (agency, serial)
  where by_weaker.ordinal is null and by_weaker.pass in (5, 6)
  union all
  select distinct 'conflict', settled_other.agency, settled_other.serial, person.ordinal, 3::tinyint,
    settled_other.pattern, settled_other.t2
  from settled_other
  join by_number using (agency, serial)
  -- One equality: with an "and" beside it the join would be a loop over all pairs.
  left join settled_spine as spine
    on spine.number = case when by_number.founding is null then settled_other.number end
  join person on person.founding = coalesce(by_number.founding, spine.founding)
  anti join by_weaker on by_weaker.agency = settled_other.agency and by_weaker.serial = settled_other.serial
  where settled_other.pass = 3
  union all
  select 'doubted', agency, serial, ordinal, pass, pattern, t2 from doubted_record`

/** Table `spine_case` (a, b: the lesser serial first): records of the spine that may be one person and are two. */
const spinePairs = `
  create temp table spine_case as
  with pair as (
    select serial as a, other as b from held_pair
    union
    select first_serial, second_serial from spine_pair where not is_one
    union
    select one.serial, other.serial
    from settled_spine as one
    join settled_spine as other using (number)
    where one.is_contested and one.founding <> other.founding
  )
  select distinct least(a, b) as a, greatest(a, b) as b
  from pair
  anti join spine_apart on spine_apart.a = pair.a and spine_apart.b = pair.b
  where not exists (
    select 1 from spine_label as one join spine_label as other using (label)
    where one.serial = pair.a and other.serial = pair.b
  )`
