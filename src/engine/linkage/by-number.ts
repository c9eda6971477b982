/**
 * Passes 1 to 4 among the suspects: records that share a number with the spine. Table `settled_other`: what came of each,
 * with the founding of its person, NULL where it is linked to nobody.
 */
export const byNumberSteps = [
  `create temp table by_number as
  with person_k4 as (
    select founding, max(t4) as t4 from settled_spine where not is_contested group by founding
  ), only_person as (
    -- Where people made one person of two births, each number has its own.
    select number, founding, coalesce(max(settled_spine.t4), any_value(person_k4.t4)) as t4
    from settled_spine
    join person_k4 using (founding)
    where number is not null and not is_contested
    group by number, founding
  ), one_of_many as (
    select distinct number, t4, founding from settled_spine where is_one_of_many
  ), contested as (
    select distinct number from settled_spine where is_contested
  ), own_k1 as (
    select distinct founding, t1 from settled_spine where t1 is not null
  ), found as (
    select record.*, contested.number is not null as is_contested,
      coalesce(one_of_many.founding, only_person.founding) as founding,
      coalesce(one_of_many.t4, only_person.t4) as founding_t4
    from numbered as record
    -- One equality each: with an "or" in it the join would be a loop over all pairs.
    left join only_person on only_person.number = record.number
    left join contested on contested.number = record.number
    left join one_of_many on one_of_many.number = record.number and one_of_many.t4 = record.t4
    where not record.is_spine
  ), banned as (
    -- People said who it is, or that it is not this person.
    select distinct agency, serial
    from found
    join decided_other using (agency, serial)
    where is_one or decided_other.founding = found.founding
  ), allowed as (
    select found.* replace (case when banned.serial is null then founding end as founding)
    from found
    left join banned using (agency, serial)
  )
  select allowed.*, own_k1.t1 is not null as is_same_k1,
    case
      when is_hub then 0
      when is_contested and allowed.founding is null then 3
      when allowed.founding is null then 9
      when t4 <> founding_t4 then 3
      when own_k1.t1 is null then 4
      when t4 is null or founding_t4 is null then 2
      else 1
    end::tinyint as pass
  from allowed
  left join own_k1 on own_k1.founding = allowed.founding and own_k1.t1 = allowed.t1`,

  // A person without a K4 may not get two of them from two sources.
  `create temp table second_k4 as
  select founding
  from by_number
  where pass in (2, 4) and founding_t4 is null
  group by founding
  having min(t4) <> max(t4)`,

  // An agency that declares one serial a person may not have two of them here.
  `create temp table settled_other as
  with with_one_k4 as (
    select record.* replace (
      case when second_k4.founding is not null and t4 is not null and pass in (2, 4) then 3
        else pass end::tinyint as pass)
    from by_number as record
    left join second_k4 using (founding)
  ), carried_founding as (
    -- Whom a serial under an older linkage key stays with, unless people said that it is not theirs.
    select distinct carried.agency, founding
    from carried
    join (select known_person as person, founding from settled_spine) as own using (person)
    anti join (select agency, serial, founding from decided_other where not is_one) as banned
      using (agency, serial, founding)
  ), duplicate as (
    select founding, agency
    from (
      select founding, agency from with_one_k4 where pass in (1, 2, 4) and is_duplicate_free
      union all
      select founding, agency from carried_founding
    )
    group by founding, agency
    having count(*) > 1
  ), judged as (
    select record.* replace (
      case when duplicate.founding is not null and pass in (1, 2, 4) then 3
        else pass end::tinyint as pass)
    from with_one_k4 as record
    left join duplicate using (founding, agency)
  )
  select agency, is_duplicate_free, serial, t2, t3, t4, t5, number, pass,
    case when pass in (1, 2, 4) then founding end as founding,
    case when pass in (1, 2, 3, 4) then
      case when is_same_k1 or founding is null then '=' else 'n' end || '..' ||
      case when t4 is null or founding_t4 is null then '-' when t4 = founding_t4 then '=' else 'x' end || '.'
    end as pattern
  from judged`,
] as const
