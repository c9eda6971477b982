/**
 * What an agency has written down about the persons it knows: a local id unrelated to anyone
 * else's, and its own copy of number, name, birth date and sex, with that agency's share of dirt.
 *
 * Planted so that a linkage by number, with birth date and sex as a veto, can be free of wrong
 * links: whoever stands under another's number has a birth date of its own, and a typing error is
 * never somebody's number.
 */
import type { Session } from '../engine/session.ts'
import type { AgencyFiles } from './agencies.ts'
import type { FileWriter } from './files.ts'
import type { DirtRates } from './settings.ts'

/**
 * Makes `typo_ncc`, `typo_nhis` …: numbers with a typing error, shortened where they would be
 * somebody's.
 */
export async function makeTypos(session: Session, agencies: readonly string[]): Promise<void> {
  await session.run(`
    create macro mistyped(number, toss) as case toss % 3
      when 0 then number[:7 + (toss // 8 % 6)::integer]
        || ((number[8 + (toss // 8 % 6)::integer]::integer + 1
          + toss // 64 % 9) % 10)::integer::varchar
        || number[9 + (toss // 8 % 6)::integer:]
      when 1 then number[:7] || number[9:9] || number[8:8] || number[10:]
      else number[:12] end;
    create macro text_of(number) as lpad(number::varchar, 13, '0');
    create table typo (agency varchar, p integer, number varchar);
  `)
  for (const agency of agencies) {
    await session.run(`
      insert into typo
      with typed as (
        select p, mistyped(text_of(number), (dice('typo:${agency}', p) % 4096)::bigint) as number
        from person where kind = 'none' and dirt_of('${agency}', p, kind) = 'typo')
      select '${agency}', p,
        case when try_cast(number as bigint) in (
            select number from person union all
            select other_number from person where other_number is not null)
          or number in (select number from typo where agency = 'ncc')
          then number[:12] else number end
      from typed`)
  }
}

/**
 * Makes the macros that say what dirt a record has, whose death is told late and what name a person
 * goes by.
 */
export async function makeRecordMacros(session: Session, dirt: DirtRates): Promise<void> {
  const placeholder = dirt.missingNumbers + dirt.placeholders
  await session.run(`
    create macro dirt_of(agency, p, kind) as case
      when kind <> 'none' then kind
      when u('record:' || agency, p) < ${dirt.missingNumbers} then 'missing'
      when u('record:' || agency, p) < ${placeholder} then 'placeholder'
      when u('record:' || agency, p) < ${placeholder + dirt.typosInNumbers} then 'typo'
      else 'none' end;
    create macro is_late(p) as u('late', p) < ${dirt.lateDeaths};
    create macro korean_name(p, sex) as pick(getvariable('surnames'), dice('surname', p))
      || case when dice('rare', p) % 2000 = 0 then pick(getvariable('rare'), dice('first', p))
        when sex = 'M' then pick(getvariable('first_m'), dice('first', p))
        else pick(getvariable('first_f'), dice('first', p)) end
      || case when sex = 'M' then pick(getvariable('second_m'), dice('second', p))
        else pick(getvariable('second_f'), dice('second', p)) end;
    create macro latin_name(p) as
      pick(getvariable('families'), dice('family', p)) || ' ' || pick(getvariable('givens'),
        dice('given', p));
    create macro miswritten(name, toss) as case toss % 3
      when 0 then name[:1] || ' ' || name[2:]
      when 1 then name[:len(name) - 1] || '겅'
      else name[:len(name) - 1] end;
  `)
}

/**
 * Makes table `rec` of one agency: local (number of the local id, from 1), p, copy, number (text or
 * null), birth (or null), name, dirt, and of the person sex, site, dx, death, sido, is_spine,
 * true_birth. In the order of local ids.
 */
export async function makeRecords(
  session: Session,
  agency: AgencyFiles,
  dirt: DirtRates,
): Promise<void> {
  const { name } = agency
  const copies = agency.hasDuplicates ? `if(kind = 'duplicate', [0, 1], [0])` : '[0]'
  // NCC has the number of a hub on two persons only.
  const borrows = {
    all: 'true',
    grown: `kind <> 'newborn'`,
    hub: `kind = 'hub' and place_on_hub < 2`,
    none: 'false',
  }[agency.borrows]
  await session.run(`create or replace table rec as
    with known as (
      select *, unnest(${copies}) as copy from person where ${agency.knows}
    ), chosen as (
      select known.*, dirt_of('${name}', p, kind) as dirt, borrowed.number as others_number,
        place_on_hub, typo.number as typed,
        other_number is not null and dice('which:${name}', p * 2 + copy) % 2 = 1 as is_changed
      from known left join borrowed using (p)
      left join (select p, number from typo where agency = '${name}') as typo using (p)
    ), written as (
      select p, copy, sex, is_spine, site, dx, death, sido, birth as true_birth,
        dirt, case when dirt = 'missing' then null
          when dirt = 'placeholder' then ${placeholderOf(name)}
          when dirt = 'typo' then typed
          when others_number is not null and ${borrows} then text_of(others_number)
          when is_changed then text_of(other_number)
          else text_of(number) end as number,
        case when kind = 'birthless' and ${agency.losesBirthDates} then null else birth end
          as birth,
        case when is_foreign and not (kind = 'naturalised' and is_changed)
          then latin_name(p) else korean_name(p, sex) end as right_name
      from chosen
    )
    select row_number() over ()::integer as local, *, case
      when u('name:${name}', p * 2 + copy) < ${dirt.typosInNames}
      then miswritten(right_name, dice('name2:${name}', p * 2 + copy) % 1024)
      else right_name end as name
    from (select * from written order by dice('local:${name}', p * 2 + copy))`)
}

/**
 * Placeholders. At the spine only those that no recipe takes for a number, since two people at the
 * spine under one number that looks real would be a different kind of dirt.
 */
function placeholderOf(agency: string): string {
  const impossible = `'0000000000000', '9999999999999', '1234567890123', ''`
  const list = agency === 'ncc' ? impossible : `${impossible}, '1111111111111'`
  return `pick([${list}], dice('placeholder:${agency}', p))`
}

/** Writes the persons file of an agency, and the truth about its local ids. */
export async function writeRecords(writer: FileWriter, agency: AgencyFiles): Promise<number> {
  const { columns } = agency
  const birth = agency.birthFormat === 'YYYYMMDD' ? '%Y%m%d' : '%Y-%m-%d'
  const number = agency.hasHyphens
    ? `case when len(number) = 13 then number[:6] || '-' || number[7:] else number end`
    : 'number'
  const fields = [
    `${agency.id} as "${columns.id}"`,
    `${number} as "${columns.registrationNumber}"`,
    `name as "${columns.name}"`,
    `strftime(birth, '${birth}') as "${columns.birthDate}"`,
    `case when sex = 'M' then '${agency.sexes[0]}' else '${agency.sexes[1]}' end
      as "${columns.sex}"`,
  ]
  const rows = await writer.csv(
    `${agency.directory}/persons.csv`,
    `select ${fields.join(', ')} from rec order by local`,
    agency.dialect,
  )
  await writer.parquet(
    `truth/ids/${agency.directory.replace('/', '-')}.parquet`,
    `select '${agency.name}' as agency, ${agency.wave} as wave, (${agency.id})::varchar as id,
      p as person, copy, dirt, key_of_number(number) as k1, key_of_birth(birth, sex) as k4
    from rec order by local`,
  )
  return rows
}
