/**
 * The statements by which the data side counts the quality of a linkage. What a column means comes from its role; a table
 * without a date or a mark of the person (lines of a claim) is not read.
 *
 * A **record** is a serial of a delivery, linked (with an ordinal) or not. What all rows of a record say is folded into one
 * **profile**, a delivery at a time; only linked profiles are kept, as small columns.
 */
import type { CatalogueTable } from '../catalogue/schema.ts'
import { cancerGroups, sitesOfOneSex } from '../core/cancer-groups.ts'
import type { Dimension } from '../core/quality-counts.ts'
import { quoteIdentifier, quoteText } from './session.ts'

type Role = NonNullable<CatalogueTable['columns'][string]['role']>

/** In the order in which they stand for the day of a row. */
const dayRoles: readonly Role[] = [
  'diagnosis-date',
  'death-date',
  'confirmation-date',
  'vaccination-date',
  'service-date',
  'screening-date',
]
const markRoles: readonly Role[] = ['sex', 'birth-year', 'birth-year-month', 'year', 'cancer-site']

/** True if the table says something of a person beyond the lines of a claim. */
export function isAboutPersons({ columns }: CatalogueTable): boolean {
  const wanted = new Set<string>([...dayRoles, ...markRoles])
  return Object.values(columns).some(({ role }) => role !== undefined && wanted.has(role))
}

const factColumns = {
  sex_low: 'utinyint',
  sex_high: 'utinyint',
  birth_low: 'smallint',
  birth_high: 'smallint',
  year: 'smallint',
  region: 'struct("day" date, level varchar)',
  site: 'struct("day" date, level varchar)',
  diagnosed: 'date',
  served: 'date',
  died_first: 'date',
  died_last: 'date',
  vaccinated: 'date',
  has_womens: 'boolean',
  has_mens: 'boolean',
} as const

/** Which of several values of a record stands for it. */
const folds: Record<keyof typeof factColumns, string> = {
  sex_low: 'min',
  sex_high: 'max',
  birth_low: 'min',
  birth_high: 'max',
  year: 'min',
  region: 'min',
  site: 'min',
  diagnosed: 'min',
  served: 'max',
  died_first: 'min',
  died_last: 'max',
  vaccinated: 'min',
  has_womens: 'bool_or',
  has_mens: 'bool_or',
}
const folded = Object.entries(folds).map(([name, fold]) => `${fold}(${name}) as ${name}`)

/** Table `fact`, empty: what rows say of the records of one delivery, or of all of the spine's. */
export const factTable = `create or replace temp table fact (number integer, ${Object.entries(
  factColumns,
)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ')})`

/**
 * Table `record`: serial, number, ordinal and pass of every serial of a map. A record's number is its place in the map; of
 * the spine it is the ordinal, so that all records of a person are one.
 */
export function recordStep(map: string, about: { hasPass: boolean; isSpine: boolean }): string {
  return `
  create or replace temp table record as
  select serial, ordinal, ${about.hasPass ? 'pass::varchar' : 'null::varchar'} as pass,
    ${about.isSpine ? 'ordinal' : '(row_number() over () - 1)::integer'} as number
  from read_parquet(${quoteText(map)})`
}

/** Adds what one part says to `fact`. */
export function factStep(part: string, table: CatalogueTable): string {
  const values = Object.entries(factsOf(table)).map(([name, sql]) => `${sql} as ${name}`)
  return `
  insert into fact
  select number, * exclude (serial, number)
  from (
    select serial, ${folded.join(', ')}
    from (select serial, ${values.join(', ')} from read_parquet(${quoteText(part)}))
    group by serial
  )
  join (select serial, number from record) using (serial)`
}

/** One line a record again. */
export const foldStep = `
  create or replace temp table fact as
  select number, ${folded.join(', ')}
  from fact
  group by number`

function factsOf({ columns }: CatalogueTable): Record<keyof typeof factColumns, string> {
  const column = (role: Role): string | undefined => {
    const name = Object.entries(columns).find(([, of]) => of.role === role)?.[0]
    return name === undefined ? undefined : quoteIdentifier(name)
  }
  const date = (role: Role): string => cast(column(role), 'date')
  const days = dayRoles.filter((role) => column(role) !== undefined).map(date)
  const day = days.length === 0 ? 'null::date' : `coalesce(${days.join(', ')})`
  const years = [cast(column('year'), 'smallint'), `year(${day})::smallint`]
  const births = [cast(column('birth-year'), 'smallint'), firstFour(column('birth-year-month'))]
  const at = (value: string | undefined, level: string): string =>
    value === undefined
      ? 'null::struct("day" date, level varchar)'
      : `case when ${value} is not null then
          {'day': coalesce(${day}, make_date(coalesce(${years.join(', ')}, 9999), 1, 1)),
           'level': ${level}} end`
  const sex = sexOf(column('sex'))
  const birth = `coalesce(${births.join(', ')})`
  const region = column('region')
  const site = column('cancer-site')
  const cancer = site ?? column('diagnosis')
  return {
    sex_low: sex,
    sex_high: sex,
    birth_low: birth,
    birth_high: birth,
    year: `coalesce(${years.join(', ')})`,
    region: at(region, `left(${region}::varchar, 2)`),
    site: at(site, groupOf(site ?? "''")),
    diagnosed: date('diagnosis-date'),
    served: date('service-date'),
    died_first: date('death-date'),
    died_last: date('death-date'),
    vaccinated: date('vaccination-date'),
    has_womens: isOfSites(cancer, sitesOfOneSex.women),
    has_mens: isOfSites(cancer, sitesOfOneSex.men),
  }
}

function cast(column: string | undefined, type: string): string {
  return column === undefined ? `null::${type}` : `try_cast(${column} as ${type})`
}

function firstFour(column: string | undefined): string {
  return column === undefined
    ? 'null::smallint'
    : `try_cast(left(${column}::varchar, 4) as smallint)`
}

/** 1 man, 2 woman, by the codes in use. */
function sexOf(column: string | undefined): string {
  if (column === undefined) return 'null::utinyint'
  return `case when upper(${column}::varchar) in ('1', 'M', '남', '남자') then 1::utinyint
    when upper(${column}::varchar) in ('2', 'F', '여', '여자') then 2::utinyint end`
}

function siteNumber(column: string): string {
  return `case when left(${column}::varchar, 1) = 'C'
    then try_cast(substr(${column}::varchar, 2, 2) as utinyint) end`
}

function groupOf(column: string): string {
  const whens = cancerGroups.map(
    ({ code, from, to }) => `when number between ${from} and ${to} then ${quoteText(code)}`,
  )
  const cases = whens.map((when) => when.replace('number', siteNumber(column)))
  return `case ${cases.join(' ')} else 'other' end`
}

function isOfSites(column: string | undefined, [first, last]: readonly [number, number]): string {
  return column === undefined
    ? 'null::boolean'
    : `${siteNumber(column)} between ${first} and ${last}`
}

const levels: Record<Dimension, string> = {
  year: 'year::varchar',
  sex: `case sex when 1 then 'M' when 2 then 'F' end`,
  age: `case
    when year - birth < 0 then null
    when year - birth < 20 then '00-19'
    when year - birth >= 80 then '80+'
    else format('{}-{}', (year - birth) // 10 * 10, (year - birth) // 10 * 10 + 9) end`,
  region: 'region',
  site: 'site',
}

const levelColumns = Object.entries(levels).map(
  ([name, sql]) => `coalesce(${sql}, 'unknown') as "${name}"`,
)

/** Table `profile`: every record with its levels; values that contradict each other are unknown. */
export const profileStep = `
  create or replace temp table profile as
  select ordinal, pass, sex as sex_number, birth, diagnosed, served, died_first, died_last,
    vaccinated, has_womens, has_mens, ${levelColumns.join(', ')}
  from (
    select record.ordinal, record.pass, fact.* exclude (number, region, site),
      case when sex_low = sex_high then sex_low end as sex,
      case when birth_low = birth_high then birth_low end as birth,
      fact.region.level as region, fact.site.level as site
    from (select distinct number, ordinal, pass from record) as record
    left join fact using (number)
  )`

/** Table `linked`: of every other agency's linked records what the checks need. */
export const linkedTable = `create or replace temp table linked (
  agency integer, ordinal integer, pass varchar, sex_number utinyint, birth smallint, served date,
  died_first date, died_last date, vaccinated date, has_womens boolean, has_mens boolean)`

/** Keeps the linked ones of `profile`. */
export function keepLinked(agency: number): string {
  return `
  insert into linked
  select ${agency}, ordinal, pass, sex_number, birth, served, died_first, died_last, vaccinated,
    has_womens, has_mens
  from profile
  where ordinal is not null`
}
