/**
 * The statements of a linkage, one function a step, in the order in which they run. The rules are those of `core/passes.ts`.
 *
 * Nearly every number is on one serial of each agency and with one K4: such a record is settled by one join. The others are
 * **suspects** (some thousands of millions), and only for them are hubs, contested numbers, duplicates and second K4
 * looked for, with every record of theirs side by side.
 *
 * A person is **founded** by a token: the K1 where it belongs to one person; else a hash of what makes the person, which no
 * other can share.
 */
import type { LinkRules } from '../core/passes.ts'
import { quoteText } from './session.ts'

/** A delivery as the statements see it: its agency by number, from 0. */
export type TokenFiles = {
  agency: number
  isSpine: boolean
  isDuplicateFree: boolean
  files: readonly string[]
}

const bySerial = (serial: string): string => `md5('founded by serial ' || ${serial})::uuid`

/** View `token`: every record of every delivery. */
export function tokenView(deliveries: readonly TokenFiles[]): string {
  const selects = deliveries.map(
    ({ agency, isSpine, isDuplicateFree, files }, delivery) => `
    select ${delivery} as delivery, ${agency} as agency, ${isSpine} as is_spine,
      ${isDuplicateFree} as is_duplicate_free, serial, t1, t4
    from read_parquet([${files.map(quoteText).join(', ')}])`,
  )
  return `create temp view token as ${selects.join('\n    union all')}`
}

/** Pass 0. Tables `suspect_record` (every record of a suspect number) and `hub` (numbers that stand for nobody). */
export function hubSteps(rules: LinkRules): string[] {
  return [
    `create temp table suspect as
      select t1
      from token
      where t1 is not null
      group by t1
      having min(t4) <> max(t4) or count(*) > bit_count(bit_or(1::bigint << agency))`,
    `create temp table suspect_record as
      select distinct agency, is_spine, is_duplicate_free, serial, t1, t4
      from token
      semi join suspect using (t1)`,
    `create temp table hub as
      select t1
      from suspect_record
      group by t1
      having count(distinct t4) > ${rules.hubK4Max}
      union
      select t1
      from (select t1, agency, count(distinct serial) as serials from suspect_record group by all)
      where serials > ${rules.hubSerialsMax}`,
  ]
}

/** Table `settled_spine`: the spine records that are not settled by having a number of their own. */
export const spineStep = `
  create temp table settled_spine as
  with number as (
    select t1, count(distinct serial) as serials, count(distinct t4) as k4s
    from suspect_record
    where is_spine
    group by t1
  ), judged as (
    select record.*, hub.t1 is not null as is_hub,
      hub.t1 is null and serials > 1 and (is_duplicate_free or k4s > 1) as is_contested
    from suspect_record as record
    join number using (t1)
    left join hub using (t1)
    where is_spine
  )
  select agency, serial, t1, t4,
    case
      when not is_hub and not is_contested then t1
      when is_hub or is_duplicate_free or t4 is null then ${bySerial('serial')}
      else md5('founded by number and birth ' || t1::varchar || t4::varchar)::uuid
    end as founding,
    case when is_hub then 'quarantined' when is_contested then 'conflict' else 'founded' end as outcome,
    is_contested and not is_duplicate_free and t4 is not null as is_one_of_many
  from judged
  union all
  select distinct agency, serial, null::uuid, null::uuid, ${bySerial('serial')}, 'founded', false
  from token
  where is_spine and t1 is null`

/** Passes 1 to 3 among the suspects. Table `settled_other`; the founding is NULL where a record is linked to nobody. */
export const suspectStep = `
  create temp table settled_other as
  with only_person as (
    select t1, founding, max(t4) as t4
    from settled_spine
    where outcome = 'founded' and t1 is not null
    group by t1, founding
  ), one_of_many as (
    select distinct t1, t4, founding from settled_spine where is_one_of_many
  ), contested as (
    select distinct t1 from settled_spine where outcome = 'conflict'
  ), compared as (
    select record.agency, record.is_duplicate_free, record.serial, record.t4,
      coalesce(only_person.founding, one_of_many.founding) as founding,
      only_person.t4 as founding_t4,
      case
        when hub.t1 is not null then 'quarantined'
        when one_of_many.founding is not null then 'perfect'
        when contested.t1 is not null then 'conflict'
        when only_person.founding is null then 'none'
        when record.t4 is null or only_person.t4 is null then 'match'
        when record.t4 = only_person.t4 then 'perfect'
        else 'conflict'
      end as outcome
    from suspect_record as record
    -- One equality each: with an "or" in it the join would be a loop over all pairs.
    left join hub on hub.t1 = record.t1
    left join contested on contested.t1 = record.t1
    left join only_person on only_person.t1 = record.t1
    left join one_of_many on one_of_many.t1 = record.t1 and one_of_many.t4 = record.t4
    where not record.is_spine
  ), second_k4 as (
    -- A person without a K4 may not get two of them from two sources.
    select founding
    from compared
    where outcome = 'match' and founding_t4 is null
    group by founding
    having min(t4) <> max(t4)
  ), with_one_k4 as (
    select compared.* replace (
      case when second_k4.founding is not null and t4 is not null then 'conflict'
        else outcome end as outcome)
    from compared
    left join second_k4 using (founding)
  ), duplicate as (
    -- An agency that declares one serial a person may not have two of them here.
    select founding, agency
    from with_one_k4
    where outcome in ('perfect', 'match') and is_duplicate_free
    group by founding, agency
    having min(serial) <> max(serial)
  ), judged as (
    select record.agency, record.serial, record.founding,
      case when duplicate.founding is not null and outcome in ('perfect', 'match') then 'conflict'
        else outcome end as outcome
    from with_one_k4 as record
    left join duplicate using (founding, agency)
  )
  select agency, serial, outcome,
    case when outcome in ('perfect', 'match') then founding end as founding
  from judged`

/**
 * Table `person`: ordinal, person number and founding token of every person; number and K4 where one join settles it.
 * Needs the function `person_of`.
 */
export const personStep = `
  create temp table person as
  select (row_number() over (order by person) - 1)::integer as ordinal, person, founding, t1, t4
  from (
    select person_of(founding) as person, founding, t1, t4
    from (
      select t1 as founding, t1, t4
      from token
      anti join suspect using (t1)
      where is_spine and t1 is not null
      union all
      select distinct founding, null::uuid, null::uuid
      from settled_spine
    )
  )`

/** Table `settled`: agency, serial, ordinal and outcome of every record that one join does not settle. */
export const settledStep = `
  create temp table settled as
  select agency, serial, ordinal, outcome
  from (
    select agency, serial, outcome, founding from settled_spine
    union all
    select agency, serial, outcome, founding from settled_other
  )
  left join person using (founding)`

/** Table `linked`: serial, ordinal and outcome of every record of one delivery. */
export function linkedStep(delivery: number): string {
  return `
  create or replace temp table linked as
  with compared as (
    select token.serial, token.t1 is not null as has_k1,
      coalesce(settled.ordinal, person.ordinal) as ordinal,
      case
        when settled.outcome is not null then settled.outcome
        when person.ordinal is null then 'none'
        when token.is_spine then 'founded'
        when token.t4 is null or person.t4 is null then 'match'
        when token.t4 = person.t4 then 'perfect'
        else 'conflict'
      end as outcome,
      token.is_spine
    from token
    left join person on person.t1 = token.t1
    left join settled on settled.agency = token.agency and settled.serial = token.serial
    where token.delivery = ${delivery}
  )
  select serial, has_k1, outcome,
    case when is_spine or outcome in ('perfect', 'match') then ordinal end as ordinal
  from compared`
}

/**
 * Of table `linked`, given the agency's number: the distinct serials, and the linked serials beyond the first of their
 * person. Serials are told apart by 64-bit hash, at a third of the cost; the caller looks again where two seem
 * to be one. Duplicates are among the settled only: a number that is no suspect is on one serial.
 */
export const distinctCounts = `
  select
    (select count(distinct hash(serial)) from linked) as serials,
    (select count(ordinal) - count(distinct ordinal) from settled
      where agency = $1 and outcome in ('founded', 'perfect', 'match')) as duplicates`
