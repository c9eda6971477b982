/** The persons of a linkage, and where every record stands after the passes by number. */

/**
 * View `person`: ordinal, person number and founding of every person; whether it has a K1; its K4; and, where one join
 * settles it, its K1 and the row of its record in `spine_row`. Its table is in order of number, so that a row's place is
 * the ordinal. Table `other_k4`: ordinal and K4 of persons that people made one of two births.
 *
 * @param isFirst - nobody is known yet. Else the table `named` says who has which number.
 */
export const personSteps = (isFirst: boolean): string[] => [
  `
  create temp table person_row as
  with of_suspects as (
    select founding, max(t4) as t4, bool_or(number is not null) as has_number
    from settled_spine
    group by founding
  ), brought as (
    select founding, max(t4) as t4 from settled_other where founding is not null group by founding
  )
  select ${isFirst ? 'person_of(founding)' : 'person'} as person, founding, t1, t4, has_number, row
  from (
    select t1 as founding, t1, t4, true as has_number, rowid::integer as row
    from spine_row
    anti join suspect using (t1)
    where t1 is not null
    union all
    select founding, null, coalesce(of_suspects.t4, brought.t4), has_number, null
    from of_suspects
    left join brought using (founding)
  )
  ${isFirst ? '' : 'join named using (founding)'}
  order by person`,
  'create temp view person as select rowid::integer as ordinal, * from person_row',
  `create temp table other_k4 as
  select distinct ordinal, settled_spine.t4
  from settled_spine
  join person using (founding)
  where settled_spine.t4 <> person.t4`,
]

/** Table `settled`: every record that one join does not settle. */
export const settledStep = `
  create temp table settled as
  select agency, is_spine, is_duplicate_free, serial, t2, t3, t4, t5, number, ordinal, pass, pattern
  from (
    select agency, true as is_spine, is_duplicate_free, serial, t2, t3, settled_spine.t4, t5, number,
      founding, pass, null as pattern
    from settled_spine
    union all
    select agency, false, is_duplicate_free, serial, t2, t3, t4, t5, number, founding, pass, pattern
    from settled_other
  ) as record
  left join (select founding, ordinal from person) using (founding)`

/**
 * View `number_place` (t1, ordinal): whose number it is. A number that is no suspect is on one serial an agency and has one
 * K4 at most, so that finding it here is all.
 */
export const numberPlaceStep = `
  create temp view number_place as
  select t1, ordinal from person where t1 is not null`

/**
 * The kept records after pass 4, as a query: ordinal NULL where one is linked to nobody.
 *
 * @param where - a condition on the record, to be met before anything is joined.
 */
export function placedQuery(where: string): string {
  return `
  select agency, is_spine, is_duplicate_free, serial, t2, t3, t4, t5, t1 as number, ordinal,
    ${plainPass('t4 is null')} as pass,
    ${plainPattern('t4 is null')} as pattern
  from (select * from kept_record where ${where} and not (is_spine and t1 is null))
  left join number_place using (t1)
  where t1 is null or t1 not in (from suspect)
  union all
  select agency, is_spine, is_duplicate_free, serial, t2, t3, t4, t5, number, ordinal, pass, pattern
  from settled
  where ${where}`
}

/**
 * The pass of a record that one join with the person of its number places. A K4 that is not its person's would make the
 * number a suspect: `requireInvariants` looks for it.
 *
 * @param lacksK4 - the condition that one of the two has no K4.
 */
export const plainPass = (lacksK4: string): string => `
  case
    when is_spine or ordinal is null then 9
    when ${lacksK4} then 2
    else 1
  end::tinyint`

/** Its agreement pattern, as in `core/link-case.ts`; NULL where it is linked to nobody. */
export const plainPattern = (lacksK4: string): string => `
  case when not is_spine and ordinal is not null
    then case when ${lacksK4} then '=..-.' else '=..=.' end end`

/** What came of a record, from where it stands. */
export const outcomeOf = `
  case
    when pass = 9 then case when is_spine then 'founded' else 'none' end
    when pass = 0 then 'quarantined'
    when pass = 3 then 'conflict'
    when pass = 1 then 'perfect'
    when ordinal is not null then 'match'
    when pass in (7, 8) then 'possible'
    else 'conflict'
  end`
