/**
 * The true persons: who they are, whatever the agencies later write about them.
 *
 * Registration numbers are unique by construction: within a birth date and sex the serial part is a
 * rank times a number prime to its range. So two persons share a number, or a birth date with a
 * number, only where dirt was planted.
 */
import type { Session } from '../engine/session.ts'
import { type DirtRates, outsideShare } from './settings.ts'

/**
 * Makes table `person` (p, is_spine, sex, birth, is_foreign, kind, site, dx, death, sido, number,
 * other_number), and `borrowed` (p, number): the numbers of other people under which HIRA and NHIS
 * know a person.
 */
export async function makePersons(
  session: Session,
  spinePersons: number,
  dirt: DirtRates,
): Promise<void> {
  await session.run(`set variable spine = ${spinePersons}::bigint`)
  await session.run(
    `set variable everyone = ${Math.floor(spinePersons * (1 + outsideShare))}::bigint`,
  )
  await session.run(macros)
  await session.run(`create table life as ${lives(dirt)}`)
  await session.run(hubs(dirt))
  await session.run(numbered)
  await session.run(borrowedNumbers)
  await session.run('drop table life')
}

const macros = `
  create macro check_digit(twelve, from_what) as (from_what - (
    twelve // 100000000000 % 10 * 2 + twelve // 10000000000 % 10 * 3 + twelve // 1000000000 % 10 * 4
    + twelve // 100000000 % 10 * 5 + twelve // 10000000 % 10 * 6 + twelve // 1000000 % 10 * 7
    + twelve // 100000 % 10 * 8 + twelve // 10000 % 10 * 9 + twelve // 1000 % 10 * 2
    + twelve // 100 % 10 * 3 + twelve // 10 % 10 * 4 + twelve % 10 * 5) % 11) % 10;
  create macro twelve_digits(birth, sex, is_foreign, tail) as
    ((year(birth) % 100 * 10000 + month(birth) * 100 + day(birth)) * 10
      + (case when year(birth) < 2000 then 1 else 3 end) + (case when sex = 'F' then 1 else 0 end)
      + (case when is_foreign then 4 else 0 end)) * 100000 + tail;
  create macro checked_number(birth, sex, is_foreign, tail) as
    twelve_digits(birth, sex, is_foreign, tail) * 10
      + check_digit(twelve_digits(birth, sex, is_foreign, tail), if(is_foreign, 13, 11));
  create macro unchecked_number(birth, sex, is_foreign, tail, digit) as
    twelve_digits(birth, sex, is_foreign, tail) * 10 + digit;
`

/**
 * Life before numbers: sex, cancer, birth, death, home, and the one kind of dirt a person may have.
 */
function lives(dirt: DirtRates): string {
  const kinds: [kind: string, share: number, where?: string][] = [
    ['noticed', dirt.changedWithNotice],
    ['changed', dirt.changedWithoutNotice],
    ['naturalised', dirt.naturalised],
    ['lender', dirt.numberOnTwoPersons, 'is_spine'],
    ['borrower', dirt.numberOnTwoPersons * 1.05],
    ['duplicate', dirt.duplicates],
    ['birthless', dirt.missingBirthDates],
    ['newborn', dirt.parentsNumbers, 'not is_spine'],
  ]
  let upTo = 0
  const cases = kinds.map(([kind, share, where = 'true']) => {
    const from = upTo
    upTo += share
    return `when chosen >= ${from} and chosen < ${upTo} and ${where} then '${kind}'`
  })
  return `
    with first as (
      select p, p < getvariable('spine') as is_spine, u('kind', p) as chosen,
        case when u('sex', p) < 0.525 then 'M' else 'F' end as sex
      from range(getvariable('everyone')) t(p)
    ), kinds as (
      select p, is_spine, sex, case ${cases.join(' ')} else 'none' end as kind,
        case when is_spine then (case when sex = 'M'
          then pick(getvariable('sites_m'), dice('site', p))
          else pick(getvariable('sites_f'), dice('site', p)) end)::utinyint end as site,
        case when is_spine
          then date '2012-01-01' + (dice('diagnosed', p) % 3653)::integer end as dx
      from first
    ), born as (
      select *, case
        when kind = 'newborn' then date '2019-01-01' + (dice('born', p) % 1700)::integer
        when is_spine then dx - (365.25 * least(99, greatest(2,
          getvariable('site_age')[site] + getvariable('site_spread')[site] * bell('age',
            p))))::integer
        else date '1935-01-01' + (dice('born', p) % 29000)::integer end as birth,
        case when u('fatal', p) < 0.885 * getvariable('site_fatality')[site]
          then dx + 1 + (-800 * ln(1 - u('survival', p)))::integer end as end_of_life
      from kinds
    )
    select p::integer as p, is_spine, sex, kind, site, dx, birth,
      case when end_of_life <= date '2023-12-31' then end_of_life end as death,
      kind = 'naturalised' or u('foreign', p) < 0.015 as is_foreign,
      pick(getvariable('sidos'), dice('sido', p)) as sido
    from born`
}

/**
 * The persons under hub numbers: thirty, or what is set, all born on different days and free of
 * other dirt.
 */
function hubs(dirt: DirtRates): string {
  const wanted = dirt.hubNumbers * dirt.personsOnAHub
  return `
    create table hub as
    select p, ((place - 1) // ${Math.max(1, dirt.personsOnAHub)})::integer as hub,
      (place - 1) % ${Math.max(1, dirt.personsOnAHub)} as place_on_hub
    from (
      select arg_min(p, toss) as p, row_number() over (order by min(toss)) as place
      from (
        select p, birth, dice('hub', p) as toss from life
        where kind = 'none' and not is_foreign and (death is null or death >= date '2019-01-01')
        order by toss limit ${wanted * 2})
      group by birth)
    where place <= ${wanted}`
}

// A changed number keeps birth date and sex and has another serial part; since October 2020 its
// last digit means nothing.
const numbered = `
  create table person as
  select p, is_spine, sex, birth, is_foreign, site, dx, death, sido,
    case when hub.p is null then kind else 'hub' end as kind,
    case when birth < date '2020-10-01' then checked_number(birth, sex, is_foreign, tail)
      else unchecked_number(birth, sex, is_foreign, tail, (dice('digit', p) % 10)::bigint)
      end as number,
    case when kind in ('noticed', 'changed')
        then unchecked_number(birth, sex, is_foreign, new_tail, (dice('digit2', p) % 10)::bigint)
      when kind = 'naturalised' then checked_number(birth, sex, false, new_tail)
      end as other_number
  from (
    select *, (start + rank * 7919) % 100000 as tail, (start + (rank + 50000) * 7919) % 100000
      as new_tail
    from (
      select *, row_number() over (partition by birth, sex order by p) as rank,
        (dice('start' || sex, epoch(birth)) % 100000)::bigint as start
      from life)) as life
  left join hub using (p)`

const borrowedNumbers = `
  create table borrowed as
  with lender as (
    select p, number, birth, sex, row_number() over (order by dice('lend', p)) as place
    from person where kind = 'lender'
  ), borrower as (
    select p, birth, sex, row_number() over (order by dice('borrow', p)) as place
    from person where kind = 'borrower'
  ), mother as (
    select p, number, row_number() over (order by dice('mother', p)) as place from person
    where is_spine and kind = 'none' and sex = 'F' and death is null and not is_foreign
      and birth between date '1976-01-01' and date '1999-12-31'
  ), newborn as (
    select p, row_number() over (order by dice('newborn', p)) as place from person
      where kind = 'newborn'
  ), hub_number as (
    select hub, checked_number(date '1970-01-01' + hub, 'M', false,
      (dice('startM', epoch(date '1970-01-01' + hub)) % 100000)::bigint) as number
    from (select distinct hub from hub)
  )
  select borrower.p, lender.number, 0 as place_on_hub from borrower join lender using (place)
    where borrower.birth <> lender.birth
  union all
  select newborn.p, mother.number, 0 from newborn join mother using (place)
  union all
  select hub.p, hub_number.number, place_on_hub from hub join hub_number using (hub)`
