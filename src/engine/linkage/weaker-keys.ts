/**
 * Passes 5 to 8: records that their number links to nobody, compared by K2, K3 and K5 with the known keys of persons. All of
 * it runs over the records of shared tokens, which are few.
 */
import type { LinkRules } from '../../core/passes.ts'
import { weakerTypes } from './shared-keys.ts'

const agreements = weakerTypes.map((type) => `k${type}`)
const agreementCount = agreements.map((name) => `${name}::integer`).join(' + ')

/**
 * Table `by_weaker` (agency, serial, ordinal, pass, pattern, number, t4): records that are placed otherwise than by number.
 */
export const byWeakerStep = `
  create temp table by_weaker (
    agency utinyint, serial varchar, ordinal integer, pass tinyint, pattern varchar, number uuid, t4 uuid
  )`

/**
 * Tables `known` (type, token, ordinal, agency): the keys of persons; `unsettled`: the records that seek one; and `pair`:
 * who may be whom, where no K4 and no decision (`banned_pair`) forbids it, with k2, k3 and k5: which keys agree. A record
 * that people placed neither seeks a person nor lends its keys to one.
 */
export const pairSteps = [
  `create temp table known as
    ${weakerTypes
      .map(
        (type) => `select distinct ${type} as type, t${type} as token, ordinal, agency
      from sound_row anti join by_weaker using (agency, serial)
      where ordinal is not null and t${type} is not null`,
      )
      .join(' union all ')}`,
  `create temp table unsettled as
    select agency, is_duplicate_free, serial, t2, t3, t4, t5, number, pass
    from sound_row
    anti join by_weaker using (agency, serial)
    where not is_spine and pass in (0, 9)`,
  `create temp table banned_pair as
    select agency, serial, ordinal
    from decided_other
    join person using (founding)
    where not is_one`,
  `create temp table pair as
    with wanted as (
      ${weakerTypes
        .map(
          (type) =>
            `select agency, serial, ${type} as type, t${type} as token from unsettled where t${type} is not null`,
        )
        .join(' union all ')}
    ), agreeing as (
      select wanted.agency, wanted.serial, known.ordinal,
        ${weakerTypes.map((type) => `bool_or(type = ${type}) as k${type}`).join(', ')}
      from wanted
      join known using (type, token)
      where type <> 5 or known.agency <> wanted.agency
      group by all
    )
    select record.agency, record.is_duplicate_free, record.serial, record.t2, record.t4, record.number,
      agreeing.ordinal, ${agreements.join(', ')}, record.number is not null and person.has_number as both_numbers,
      case when record.number is not null and person.has_number then 'x' else '-' end ||
      ${weakerTypes
        .slice(0, 2)
        .map((type) => letterOf(type))
        .join(' || ')} ||
      case when record.t4 is null or person.t4 is null then '-' else '=' end ||
      ${letterOf(5)} as pattern
    from agreeing
    join unsettled as record using (agency, serial)
    join person using (ordinal)
    left join other_k4 on other_k4.ordinal = agreeing.ordinal and other_k4.t4 = record.t4
    anti join banned_pair using (agency, serial, ordinal)
    where record.t4 is null or person.t4 is null or record.t4 = person.t4 or other_k4.t4 is not null`,
]

function letterOf(type: number): string {
  return `case when k${type} then '=' when record.t${type} is null then '-' else 'x' end`
}

/** Table `earlier`: which persons already have a serial of an agency that declares itself free of duplicates. */
export const earlierStep = `
  create temp table earlier as
  with wanted as (
    select distinct ordinal, t1 from pair join person using (ordinal)
  )
  select agency, ordinal
  from record
  join wanted using (t1)
  where is_duplicate_free and not is_spine
  union
  select agency, ordinal
  from settled
  semi join wanted using (ordinal)
  where is_duplicate_free and not is_spine
  union
  select carried.agency, person.ordinal
  from carried
  left join merged on merged.person = carried.person
  join person on person.person = coalesce(merged.other, carried.person)
  semi join wanted on wanted.ordinal = person.ordinal
  anti join banned_pair
    on banned_pair.agency = carried.agency and banned_pair.serial = carried.serial and banned_pair.ordinal = person.ordinal`

/** Pass 5: one person by K3 or K5. Two persons are a conflict. */
export const strongSteps = [
  `create or replace temp table candidate as
    select *, count(*) over (partition by agency, serial) as persons
    from pair
    where (k3 or k5) and not both_numbers`,
  ...settlingSteps(5, { hasOneNumber: true, otherwise: 'conflict' }),
]

/** Pass 6: one person by a K2 that is unique. Pass 7: by one that is not. */
export const nameSteps = [
  `create temp table k2_use as
    select t2, count(distinct ordinal) as persons, count(distinct number) as numbers
    from sound_row
    where t2 is not null
    group by t2`,
  `create temp table k2_of_agency as
    select t2, agency, count(*) as serials from sound_row where t2 is not null group by t2, agency`,
  `create or replace temp table candidate as
    select pair.*, k2_use.persons
    from pair
    join k2_use using (t2)
    join k2_of_agency using (t2, agency)
    anti join by_weaker using (agency, serial)
    where k2 and not both_numbers and k2_use.persons = 1 and numbers <= 1 and serials = 1`,
  ...settlingSteps(6, { hasOneNumber: true, otherwise: 'conflict' }),
]

/** Passes 7 and 8: what is left of the pairs. Table `possible_case`, and the records in `by_weaker`. */
export function possibleSteps(rules: LinkRules): string[] {
  const promote = `
    create or replace temp table candidate as
    select pair.*, possible.candidates as persons
    from (select *, ${agreementCount} as agreeing from pair) as pair
    join possible using (agency, serial)
    where possible.candidates = 1 and agreeing >= 2`
  const rest = `
    insert into by_weaker
    select agency, serial, null, pass, pattern, null, null
    from possible
    anti join by_weaker using (agency, serial)`
  return [
    `create temp table possible_case as
      select agency, serial, ordinal, case when both_numbers then 8 else 7 end::tinyint as pass, pattern
      from pair
      anti join by_weaker using (agency, serial)`,
    `create temp table possible as
      select agency, serial, min(pass) as pass, count(*) as candidates, min(pattern) as pattern
      from possible_case
      group by agency, serial`,
    ...(rules.promotePossible
      ? [promote, ...settlingSteps(8, { hasOneNumber: false, otherwise: 'leave' })]
      : []),
    rest,
  ]
}

/**
 * Settles the records of `candidate` and puts them into `by_weaker`: linked, or in conflict because of a second person, a
 * second number, a second K4 of a person without one, or a second serial where the agency has one a person.
 */
function settlingSteps(
  pass: number,
  rule: { hasOneNumber: boolean; otherwise: 'conflict' | 'leave' },
): string[] {
  return [
    `create or replace temp table standing as
      select candidate.*, persons = 1 as stands, person.t4 is null as is_without_k4
      from candidate
      join person using (ordinal)`,
    ...(rule.hasOneNumber ? [withoutSecond('number', 'true')] : []),
    withoutSecond('t4', 'is_without_k4'),
    `create or replace temp table standing as
      with taken as (
        select agency, ordinal from earlier
        union all
        select agency, ordinal from by_weaker where ordinal is not null
        union all
        select agency, ordinal from standing where stands
      ), twice as (
        select agency, ordinal from taken group by agency, ordinal having count(*) > 1
      )
      select standing.* replace (stands and (twice.ordinal is null or not is_duplicate_free) as stands)
      from standing
      left join twice using (agency, ordinal)`,
    `insert into by_weaker
      select agency, serial, case when bool_or(stands) then min(ordinal) end, ${pass},
        min(pattern), any_value(number), any_value(t4)
      from standing
      ${rule.otherwise === 'leave' ? 'where stands' : ''}
      group by agency, serial`,
  ]
}

function withoutSecond(column: 'number' | 't4', where: string): string {
  return `create or replace temp table standing as
      with brought as (
        select ordinal, ${column} from standing where stands and ${where}
        union all
        select ordinal, ${column} from by_weaker where ordinal is not null
      ), twice as (
        select ordinal from brought group by ordinal having min(${column}) <> max(${column})
      )
      select standing.* replace (
        stands and (twice.ordinal is null or ${column} is null or not (${where})) as stands)
      from standing
      left join twice using (ordinal)`
}
