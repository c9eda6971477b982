/**
 * What the spine's records found. A person is **founded** by a token: the least K1 of its spine records where the number
 * belongs to one person; else a hash of what makes the person, which no other can share.
 *
 * Records of a spine that is not free of duplicates may be one person although their numbers differ: **twins** agree in
 * K2 or K3. Such a pair is told as possible. Where the project opted in, a pair that agrees in both, and of which neither
 * is in another pair, is one person.
 */
import type { LinkRules } from '../../core/passes.ts'
import { hubsOf } from './hubs.ts'

const foundedBy = (serial: string): string => `md5('founded by serial ' || ${serial})::uuid`

/**
 * Tables `twin_2` and `twin_3` (t2, t3): tokens on several records of the spine, with `twin_hub_<n>` and the views
 * `sound_twin_<n>` of those that are no hub; and `twin_record`: the spine's records of the sound ones. All are empty where
 * the spine is free of duplicates.
 */
export function twinSteps(isDuplicateFree: boolean, rules: LinkRules): string[] {
  const twins = (column: string): string => `
      select ${column}
      from record
      where is_spine and ${column} is not null and not ${isDuplicateFree}
      group by ${column}
      having count(*) > 1`
  return [2, 3]
    .flatMap((type) => {
      const column = `t${type}`
      return [
        `create temp table twin_${type} as ${twins(column)}`,
        `create temp table twin_hub_${type} as
        with near as (select record.* from record semi join twin_${type} using (${column}))
        ${hubsOf(column, 'near', rules)}`,
        `create or replace temp view sound_twin_${type} as
        select ${column} from twin_${type} anti join twin_hub_${type} using (${column})`,
      ]
    })
    .concat(`
    create temp table twin_record as
    select *
    from record
    where is_spine and not ${isDuplicateFree}
      and (t2 in (from sound_twin_2) or t3 in (from sound_twin_3))`)
}

/**
 * Table `spine_founding`: the founding of every spine record that does not have a number of its own. Records that people
 * decided to be one person count as one; a number is **divided** among those that people decided to be two persons, and
 * among persons that were two before, unless a notice joined them.
 */
export const foundingStep = `
  create temp table spine_founding as
  with own as (
    select record.*, known.person as known_person, coalesce(spine_label.label, record.serial) as unit
    from numbered as record
    left join known_spine as known using (serial)
    left join spine_label using (serial)
    where record.is_spine
  ), apart as (
    select distinct own.number
    from own
    join spine_apart on spine_apart.a = own.serial
    join own as other on other.serial = spine_apart.b and other.number = own.number
  ), born as (
    select number, count(distinct known_person) as persons from own group by number, t4
  ), sharing as (
    select number, count(distinct unit) as units, count(distinct t4) as k4s, min(t1) as first_t1,
      min(t1) = max(t1) and case when count(distinct t4) > 1
        then (select max(persons) from born where born.number = own.number)
        else count(distinct known_person) end > 1 as is_several
    from own
    where number is not null
    group by number
  ), judged as (
    select own.*, first_t1, apart.number is not null as is_apart,
      coalesce(units > 1 and (is_several or apart.number is not null), false) as is_divided,
      coalesce(units > 1 and (own.is_duplicate_free or k4s > 1), false) as is_contested
    from own
    left join sharing using (number)
    left join apart using (number)
  )
  select agency, is_duplicate_free, serial, t1, t2, t3, t4, t5, number, is_hub, is_divided,
    is_contested or is_divided as is_contested, known_person,
    case
      when not is_hub and not is_contested and not is_divided then first_t1
      when is_divided and not is_apart then ${foundedBy(
        `min(serial) over (partition by number, coalesce(known_person::varchar, serial))`,
      )}
      when is_hub or is_divided or is_duplicate_free or t4 is null then ${foundedBy('serial')}
      else md5('founded by number and birth ' || number::varchar || t4::varchar)::uuid
    end as founding
  from judged
  union all
  select record.agency, is_duplicate_free, record.serial, record.t1, t2, t3, record.t4, t5, null, false,
    false, false, known.person, ${foundedBy('record.serial')}
  from record
  left join known_spine as known on known.serial = record.serial
  where is_spine and record.t1 is null`

/** Table `spine_pair`: two persons of the spine that may be one, by which keys, and whether they are made one. */
export function pairStep(rules: LinkRules): string {
  return `
  create temp table spine_pair as
  with person as (
    select founding, max(t4) as t4, bool_or(number is not null) as has_number, min(serial) as serial,
      min(known_person) as known_person
    from spine_founding
    where not is_contested
    group by founding
  ), known as (
    select distinct founding, 2 as type, t2 as token
    from spine_founding semi join sound_twin_2 using (t2) where not is_contested
    union all
    select distinct founding, 3, t3
    from spine_founding semi join sound_twin_3 using (t3) where not is_contested
  ), decided_pair as (
    select one.founding as first, two.founding as second
    from spine_apart
    join spine_founding as one on one.serial = a
    join spine_founding as two on two.serial = b
    union
    select one.founding, two.founding
    from spine_label as a
    join spine_label as b using (label)
    join spine_founding as one on one.serial = a.serial
    join spine_founding as two on two.serial = b.serial
  ), pair as (
    select first.founding as first, second.founding as second,
      bool_or(type = 2) as k2, bool_or(type = 3) as k3
    from known as first
    join known as second using (type, token)
    where first.founding < second.founding
    group by all
  ), sound as (
    select pair.*, a.has_number and b.has_number as both_numbers, a.serial as first_serial,
      b.serial as second_serial, coalesce(a.known_person <> b.known_person, false) as are_two
    from pair
    join person as a on a.founding = first
    join person as b on b.founding = second
    anti join decided_pair on decided_pair.first = pair.first and decided_pair.second = pair.second
    where a.t4 is null or b.t4 is null or a.t4 = b.t4
  ), often as (
    select founding, count(*) as pairs
    from (select first as founding from sound union all select second from sound)
    group by founding
  )
  select sound.*,
    ${rules.promotePossible} and k2 and k3 and a.pairs = 1 and b.pairs = 1 and not are_two as is_one
  from sound
  join often as a on a.founding = first
  join often as b on b.founding = second`
}

/**
 * Table `founding_edge`: foundings that are one person although their numbers differ, because the project opted in or people
 * decided. Their components are `founding_label`.
 */
export const foundingEdgeStep = `
  create temp table founding_edge as
  select first as a, second as b from spine_pair where is_one
  union
  select min(founding) over (partition by label), founding
  from spine_founding
  join spine_label using (serial)`

/** Table `settled_spine`: as `spine_founding`, with foundings that are one person made one. */
export const settledSpineStep = `
  create temp table settled_spine as
  select record.* replace (coalesce(together.label, record.founding) as founding),
    case when is_hub then 0 when is_contested then 3 else 9 end::tinyint as pass,
    is_contested and not is_divided and not is_duplicate_free and t4 is not null as is_one_of_many
  from spine_founding as record
  left join founding_label as together on together.node = record.founding`
