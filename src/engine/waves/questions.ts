/**
 * Questions to one agency about cases of its own: of each case two serials that it can compare by itself. Beside a record
 * of the spine stands another of the spine; beside any other record stands one of the same agency that is linked to the
 * person in question, or whose keys name the person as well.
 */
import { quoteText, type Session } from '../session.ts'

export type Questions = {
  /** The key index whose cases they are. */
  index: string
  agency: string
  isSpine: boolean
  /** Link maps of the agency; of the spine none is needed. */
  maps: readonly string[]
  /** `isConflict`: the record's own keys name the person. */
  cases: readonly { caseId: string; isConflict: boolean }[]
}

/**
 * Writes the questions: CSV, `case,serial_a,serial_b`, in order of the case's number, which tells nothing.
 *
 * @returns the cases asked. Of the others the agency does not hold two records.
 */
export async function writeQuestions(
  session: Session,
  questions: Questions,
  file: string,
): Promise<string[]> {
  const { index, agency, isSpine, maps, cases } = questions
  const rows = cases.map(({ caseId, isConflict }) => `(${quoteText(caseId)}::uuid, ${isConflict})`)
  const from = (kind: string): string =>
    `from read_parquet(${quoteText(index)}) where kind = ${quoteText(kind)}`
  await session.run(`
    create temp table own_case as
    select case_id, serial, spine_serial ${from('case')} and agency = ${quoteText(agency)}`)
  await session.run(`
    create temp table wanted as
    select case_id, serial, spine_serial, is_conflict
    from own_case
    join (values ${rows.join(', ')}) as asked (case_id, is_conflict) using (case_id)`)
  await session.run(isSpine ? ofSpine : ofOthers({ from, maps }))
  await session.run(`
    copy (select case_id as "case", serial_a, serial_b from question order by case_id)
    to ${quoteText(file)} (format csv, header true)`)
  const asked = await session.rows<{ caseId: string }>(
    'select case_id::varchar as "caseId" from question order by case_id',
  )
  return asked.map(({ caseId }) => caseId)
}

const ofSpine = `
  create temp table question as
  select case_id, serial as serial_a, spine_serial as serial_b from wanted`

/** The surest link first, then the records that a case has with the same person; of equals the lesser serial. */
function ofOthers({
  from,
  maps,
}: {
  from: (kind: string) => string
  maps: readonly string[]
}): string {
  const links = `read_parquet([${maps.map(quoteText).join(', ')}])`
  return `
  create temp table question as
  with spine as (
    select serial as spine_serial, person ${from('spine')}
  ), place as (
    select person, ordinal ${from('spine')} and ordinal is not null
  ), wanted_person as (
    select wanted.*, person, ordinal from wanted join spine using (spine_serial) join place using (person)
  ), other as (
    select case_id, link.pass::integer as rank, link.serial
    from wanted_person
    join ${links} as link on link.ordinal = wanted_person.ordinal
    where link.serial <> wanted_person.serial
    union all
    select wanted_person.case_id, 100, own_case.serial
    from wanted_person
    join (select serial, person from own_case join spine using (spine_serial)) as own_case using (person)
    where is_conflict and own_case.serial <> wanted_person.serial
  )
  select case_id, wanted.serial as serial_a, other.serial as serial_b
  from (
    from other qualify row_number() over (partition by case_id order by rank, serial) = 1
  ) as other
  join wanted using (case_id)`
}
