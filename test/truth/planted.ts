/**
 * What was planted in a population beside what a linkage found of it, record by record, from the truth that no agency's tool
 * reads, the link maps, and the cases of the key index.
 */
import { join } from 'node:path'
import type { Linked } from '../../src/engine/link.ts'
import { quoteText, type Session } from '../../src/engine/session.ts'
import type { Taken } from './taken-population.ts'

/** Records of a kind of dirt: how many there are, how many were found as what they are, and how many are linked wrong. */
export type Planted = { planted: number; found: number; wrong: number }

/** Links of one outcome: how many, and how many are to somebody else. */
export type Links = { linked: number; wrong: number }

/** Loads all that is known of every record of the first wave into the table `held`, and more. */
export async function loadTruth(
  session: Session,
  populationDir: string,
  { taken, linked }: { taken: readonly Taken[]; linked: Linked },
): Promise<void> {
  const truth = join(populationDir, 'truth')
  const all = (query: (one: Taken) => string): string => taken.map(query).join(' union all ')
  const file = (path: string): string => `read_parquet(${quoteText(path)})`
  const files = (paths: readonly string[]): string =>
    `read_parquet([${paths.map(quoteText).join(', ')}])`
  await session.run(`
    create temp table truth_held as
    select ids.*, serial, t1 is null as lacks_t1, ordinal, pass
    from (${all(({ agency }) => `from ${file(join(truth, 'ids', `${agency}.parquet`))}`)}) as ids
    join (${all(({ agency, serials }) => `select ${quoteText(agency)} as agency, id, serial from ${file(serials)}`)})
      using (agency, id)
    join (${all((one) => `select ${quoteText(one.agency)} as agency, serial, t1 from ${files(one.files)}`)})
      using (agency, serial)
    join (${all(({ agency }) => `select ${quoteText(agency)} as agency, serial, ordinal, pass from ${file(linked.maps[agency]?.file ?? '')}`)})
      using (agency, serial)`)
  await session.run(`
    create temp table truth_notice as from ${file(join(truth, 'notices.parquet'))};
    create temp table truth_person as from ${file(join(truth, 'persons.parquet'))};
    create temp table truth_case as
      select agency, serial, spine_serial from ${file(linked.indexFile)} where kind = 'case'`)
  await session.run(hubs)
  await session.run(held)
}

// Numbers that stand for nobody, by the bounds of pass 0. A placeholder that looks like a number is no key at all.
const hubs = `
  create temp table truth_hub as
  with numbered as (from truth_held where k1 is not null and dirt <> 'placeholder')
  select k1 from numbered group by k1 having count(distinct k4) > 3
  union
  select k1 from numbered group by agency, k1 having count(*) > 3`

// Beside each record: who owns its link, and the spine record that has its number, or the other number of a notice.
const held = `
  create temp table held as
  with spine as (
    select k1, any_value(k4) as k4, any_value(serial) as serial, any_value(person) as person
    from truth_held where agency = 'ncc' and k1 is not null and k1 not in (from truth_hub) group by k1
  ), owner as (
    select ordinal, min(person) as owner from truth_held where agency = 'ncc' group by ordinal
  ), other as (
    select old_k1 as k1, new_k1 as other_k1 from truth_notice union all select new_k1, old_k1 from truth_notice
  )
  select record.*, owner, truth_person.is_spine,
    record.ordinal is not null and owner is distinct from record.person as is_wrong,
    own.person as number_person, own.k4 <> record.k4 as is_other_birth, own.serial as spine_serial,
    told.person as told_person
  from truth_held as record
  join truth_person using (person)
  left join owner using (ordinal)
  left join spine as own on own.k1 = record.k1
  left join other on other.k1 = record.k1
  left join spine as told on told.k1 = other.other_k1`

/** Agency → what it links surely (`perfect`), by a rule (`match`), and founds. */
export async function linksByOutcome(
  session: Session,
): Promise<Record<string, Record<string, Links>>> {
  const rows = await session.rows<Links & { agency: string; outcome: string }>(`
    select agency, case when agency = 'ncc' then 'founded' when pass = 1 then 'perfect' else 'match' end as outcome,
      count(*) as linked, count(*) filter (is_wrong) as wrong
    from held where ordinal is not null group by all order by all`)
  const byAgency: Record<string, Record<string, Links>> = {}
  for (const { agency, outcome, ...links } of rows) {
    byAgency[agency] = { ...byAgency[agency], [outcome]: links }
  }
  return byAgency
}

/** Agency → records of persons of the spine, and those of them that are linked to nobody or to somebody else. */
export async function trulyMissed(
  session: Session,
): Promise<Record<string, { ofSpinePersons: number; missed: number; spinePersonsKnown: number }>> {
  const rows = await session.rows<{
    agency: string
    ofSpinePersons: number
    missed: number
    spinePersonsKnown: number
  }>(`
    select agency, count(*) as "ofSpinePersons", count(*) filter (ordinal is null or is_wrong) as missed,
      count(distinct person) as "spinePersonsKnown"
    from held where is_spine and agency <> 'ncc' group by agency order by agency`)
  return Object.fromEntries(rows.map(({ agency, ...of }) => [agency, of]))
}

// A conflict is found when the record is a case with the spine record that has its number, and linked to nobody.
const isCase = `ordinal is null
  and exists (select 1 from truth_case where truth_case.agency = held.agency
    and truth_case.serial = held.serial and truth_case.spine_serial = held.spine_serial)`
const isOthers = `agency <> 'ncc' and number_person <> person and is_other_birth`

const kinds: Record<string, { where: string; found: string }> = {
  sharedNumbers: { where: `dirt = 'borrower' and ${isOthers}`, found: isCase },
  newbornsUnderParents: { where: `dirt = 'newborn' and ${isOthers}`, found: isCase },
  conflicts: {
    where: `agency <> 'ncc' and number_person is not null and coalesce(is_other_birth, false)`,
    found: isCase,
  },
  // A number that stands for nobody is as good as none: a name may still link its record, and rightly.
  onHubs: {
    where: `agency <> 'ncc' and k1 in (from truth_hub)`,
    found: 'ordinal is null or pass > 4',
  },
  placeholders: { where: `dirt = 'placeholder'`, found: 'lacks_t1' },
  missingNumbers: { where: `dirt = 'missing'`, found: 'lacks_t1' },
  underNoticedNumbers: {
    where: `agency <> 'ncc' and told_person = person and number_person is null`,
    found: 'ordinal is not null and pass = 4',
  },
}

/** Kind of dirt → what was planted and found. */
export async function plantedAndFound(session: Session): Promise<Record<string, Planted>> {
  const found: Record<string, Planted> = {}
  for (const [kind, { where, found: isFound }] of Object.entries(kinds)) {
    const [row] = await session.rows<Planted>(`
      select count(*) as planted, count(*) filter (${isFound}) as found, count(*) filter (is_wrong) as wrong
      from held where ${where}`)
    if (row) found[kind] = row
  }
  return found
}

/** What the report should count: numbers that are hubs, pairs of notices, and second serials of a person by agency. */
export async function countedInTruth(
  session: Session,
): Promise<{ hubs: number; notices: number; duplicates: Record<string, number> }> {
  const [row] = await session.rows<{ hubs: number; notices: number }>(`
    select (select count(*) from truth_hub) as hubs,
      (select count(*) from truth_notice where old_k1 <> new_k1) as notices`)
  const duplicates = await session.rows<{ agency: string; count: number }>(`
    select agency, count(ordinal) - count(distinct ordinal) as count
    from held where agency <> 'ncc' group by agency`)
  return {
    hubs: row?.hubs ?? 0,
    notices: row?.notices ?? 0,
    duplicates: Object.fromEntries(duplicates.map(({ agency, count }) => [agency, count])),
  }
}
