/**
 * Sex, age band and year of the cases of a linkage, on the data side: of the person in question, and of the record as its
 * own agency tells. They are collected while the quality of the linkage is counted, which reads all that is needed.
 *
 * A rare combination is recognisable by itself, so nothing is told more exactly than by bands of five years with everybody
 * of 85 and more together, and by the year; no place, no site, no day.
 */
import { quoteText, type Session } from './session.ts'

/** What the tables say of a case; null where they do not, or contradict each other. */
export type CaseStrata = {
  caseId: string
  sex: 'M' | 'F' | null
  ageBand: string | null
  /** Of the person's first diagnosis. */
  year: number | null
  recordSex: 'M' | 'F' | null
  /** At the person's first diagnosis, by the birth that the record has. */
  recordAgeBand: string | null
}

export type StrataCounter = {
  /** To be told of each delivery, while the tables `record` and `fact` are of it. */
  onDelivery: (agency: string, isSpine: boolean) => Promise<void>
  /** When all are told and the table `spine` stands. */
  strata: () => Promise<CaseStrata[]>
}

/**
 * Begins to collect.
 *
 * @param list - Parquet of `writeCaseList`: case_id, agency, serial of the record, ordinal of the person.
 */
export async function openStrataCounter(session: Session, list: string): Promise<StrataCounter> {
  await session.run(`
    create temp table listed_case as
    select case_id, agency, serial, ordinal as person_ordinal from read_parquet(${quoteText(list)});
    create temp table case_fact (
      case_id uuid, sex_low utinyint, sex_high utinyint, birth_low smallint, birth_high smallint);
    create temp table case_record (case_id uuid, ordinal integer)`)
  return {
    onDelivery: async (agency, isSpine) => {
      await session.run(isSpine ? recordStep(agency) : factStep(agency))
    },
    strata: () => session.rows<CaseStrata>(strataOfCases),
  }
}

/** What another agency's rows say of a record, a delivery at a time. */
const factStep = (agency: string): string => `
  insert into case_fact
  select case_id, sex_low, sex_high, birth_low, birth_high
  from listed_case
  join record using (serial)
  join fact using (number)
  where agency = ${quoteText(agency)}`

/** Of a record of the spine its person is known, and of that the table `spine`. */
const recordStep = (agency: string): string => `
  insert into case_record
  select distinct case_id, record.ordinal
  from listed_case
  join record using (serial)
  where agency = ${quoteText(agency)}`

const sexOf = (column: string): string => `case ${column} when 1 then 'M' when 2 then 'F' end`
const bandOf = (birth: string): string => `case
  when year(diagnosed) - ${birth} >= 85 then '85+'
  when year(diagnosed) - ${birth} >= 0 then
    printf('%02d-%02d', (year(diagnosed) - ${birth}) // 5 * 5, (year(diagnosed) - ${birth}) // 5 * 5 + 4)
  end`

const strataOfCases = `
  with told as (
    select case_id, min(sex_low) as sex_low, max(sex_high) as sex_high, min(birth_low) as birth_low,
      max(birth_high) as birth_high
    from (
      from case_fact
      union all
      select case_id, sex_number, sex_number, birth, birth
      from (select distinct case_id, ordinal from case_record) join spine using (ordinal)
    )
    group by case_id
  ), own as (
    select case_id, case when sex_low = sex_high then sex_low end as record_sex,
      case when birth_low = birth_high then birth_low end as record_birth
    from told
  )
  select case_id::varchar as "caseId", ${sexOf('sex_number')} as sex, ${bandOf('birth')} as "ageBand",
    year(diagnosed)::integer as year, ${sexOf('record_sex')} as "recordSex",
    ${bandOf('record_birth')} as "recordAgeBand"
  from listed_case
  left join spine on spine.ordinal = person_ordinal
  left join own using (case_id)
  order by case_id`
