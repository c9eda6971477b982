/**
 * Who is who, and how far a linkage got it right. The truth lies in its own directory, which no
 * agency's tool reads: true persons, the true person behind every local id, and the notices.
 * Numbers stand there as hashes.
 */
import { copyFile, link, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openSession, quoteText, type Session } from '../engine/session.ts'
import type { FileWriter } from './files.ts'

/** Where the truth of a population lies, relative to its directory: two files and a directory. */
export type TruthPaths = { persons: string; ids: string; notices: string }

const noticed = `kind = 'noticed' or (kind = 'naturalised' and dice('told', p) % 2 = 0)`

/** SQL over `person`: the notices of changed numbers as NHIS keeps them. */
export const noticesQuery = `
  select text_of(number) as "OLD_NO", text_of(other_number) as "NEW_NO"
  from person where ${noticed} order by dice('notice', p)`

/**
 * Makes the macros `key_of_number` (K1: empty unless 13 digits that begin with a real date, as the
 * recipe has it) and `key_of_birth` (K4), and writes persons and notices. The truth about local ids
 * is written agency by agency.
 */
export async function writeTruth(session: Session, writer: FileWriter): Promise<TruthPaths> {
  await session.run(`
    create macro key_of_number(number) as case
      when regexp_full_match(number, '[0-9]{13}') and try_strptime(
        case when number[7:7] in ('1', '2', '5', '6') then '19'
          when number[7:7] in ('9', '0') then '18' else '20' end || number[:6],
            '%Y%m%d') is not null
      then hash(getvariable('seed'), 'k1', number) end;
    create macro key_of_birth(birth, sex) as
      case when birth is not null then hash(getvariable('seed'), birth, sex) end;
  `)
  const persons = 'truth/persons.parquet'
  await writer.parquet(
    persons,
    `select p as person, is_spine, sex, birth, is_foreign, kind, dx as diagnosed, death,
      sido as region
    from person order by p`,
  )
  const notices = 'truth/notices.parquet'
  await writer.parquet(
    notices,
    `select p as person, key_of_number(text_of(number)) as old_k1,
      key_of_number(text_of(other_number)) as new_k1
    from person where ${noticed} order by p`,
  )
  return { persons, ids: 'truth/ids', notices }
}

export type LinkageToJudge = {
  /** Of `generatePopulation`. */
  populationDir: string
  /** An empty private directory for the work. The caller removes it. */
  scratchDir: string
  /** Agency → parquet (id, serial): which serial the agency's tool gave to which local id. */
  serials: Readonly<Record<string, string>>
  /** Agency → parquet (serial, ordinal): the linkage's result. */
  maps: Readonly<Record<string, string>>
  /** Whether the linkage was given the notices (pass 4). Default no. */
  hasNotices?: boolean
  /** Bounds of pass 0 (`shared/LINKAGE.md`). Default 3 and 3. */
  hub?: { birthsMax: number; serialsMax: number }
}

/** Counts of one agency's serials. */
export type Judgement = {
  delivered: number
  linked: number
  /** Linked to a person who is somebody else; at the spine, put together with somebody else. */
  wrong: number
  /**
   * What the keys allow: the number stands in the spine too, is not a hub's, and birth date and sex
   * agree or are missing on a side. Every spine record is linkable, since it founds a person.
   * Somebody under another's number is not.
   */
  linkable: number
  /** Linkable, but not linked or linked wrong. */
  missed: number
}

/**
 * Judges a linkage agency by agency. Only serials that were delivered count, so a first wave is
 * judged by its own files. Links beyond the linkable ones (by name, say) count as linked, and as
 * wrong where they are.
 */
export async function judgeLinkage(toJudge: LinkageToJudge): Promise<Record<string, Judgement>> {
  const { scratchDir, populationDir } = toJudge
  const session = await openSession({ scratchDir, memoryMiB: 1024, threads: 2, spillMiB: 16_384 })
  try {
    await loadPairs(session, toJudge.serials, 'serials', 'id')
    await loadPairs(session, toJudge.maps, 'maps', 'ordinal')
    const truth = join(populationDir, 'truth')
    const notices = await within(scratchDir, join(truth, 'notices.parquet'), 'notices')
    await session.run(`create table notice as select * from read_parquet(${quoteText(notices)})`)
    for (const [i, file] of truthFiles.entries()) {
      const path = await within(scratchDir, join(truth, 'ids', file), `ids-${i}`)
      const from = `select * from read_parquet(${quoteText(path)})`
      await session.run(i === 0 ? `create table truth as ${from}` : `insert into truth ${from}`)
    }
    await session.run(heldQuery(toJudge.hasNotices ?? false))
    const { birthsMax, serialsMax } = toJudge.hub ?? { birthsMax: 3, serialsMax: 3 }
    const rows = await session.rows<{ agency: string } & Judgement>(judgementQuery, [
      birthsMax,
      serialsMax,
    ])
    return Object.fromEntries(rows.map(({ agency, ...judgement }) => [agency, judgement]))
  } finally {
    session.close()
  }
}

const truthFiles = ['ncc', 'nhis', 'hira', 'kdca', 'kostat', 'wave-2-kostat'].map(
  (name) => `${name}.parquet`,
)

async function loadPairs(
  session: Session,
  files: Readonly<Record<string, string>>,
  table: 'serials' | 'maps',
  column: 'id' | 'ordinal',
): Promise<void> {
  const type = column === 'id' ? 'varchar' : 'integer'
  await session.run(`create table ${table} (agency varchar, serial varchar, ${column} ${type})`)
  for (const [agency, file] of Object.entries(files)) {
    const path = await within(session.scratchDir, file, `${table}-${agency}`)
    await session.run(
      `insert into ${table} select ?::varchar, serial, ${column}
        from read_parquet(${quoteText(path)})`,
      [agency],
    )
  }
}

/** A file as one in the scratch directory, for a session can read nothing else. */
async function within(scratchDir: string, file: string, name: string): Promise<string> {
  await mkdir(scratchDir, { recursive: true })
  const path = join(scratchDir, `${name}.parquet`)
  // Another file system cannot be linked to.
  await link(file, path).catch(() => copyFile(file, path))
  return path
}

// With notices a new number stands for the old one; hubs are looked for among the numbers as
// delivered.
function heldQuery(hasNotices: boolean): string {
  return `create table held as
    select agency, person, k1, k4, ordinal,
      ${hasNotices ? 'coalesce(notice.old_k1, k1)' : 'k1'} as one_k1
    from truth join serials using (agency, id) left join maps using (agency, serial)
    left join (select old_k1, new_k1 from notice) as notice on k1 = notice.new_k1`
}

const judgementQuery = `
  with hub as (
    select k1 from held where k1 is not null group by k1 having count(distinct k4) > $1
    union
    select k1 from held where k1 is not null group by agency, k1 having count(*) > $2
  ), good as (
    select held.*, k1 is not null and k1 not in (select k1 from hub) as has_k1 from held
  ), spine as (
    select one_k1, min(k4) as k4, bool_or(k4 is null) as lacks_k4, count(distinct k4) as births
    from good where agency = 'ncc' and has_k1 group by one_k1
  ), owner as (
    select ordinal, min(person) as owner from held where agency = 'ncc' and ordinal is not null
    group by ordinal
  ), judged as (
    select good.agency, ordinal is not null as is_linked,
      ordinal is not null and owner is distinct from person as is_wrong,
      good.agency = 'ncc' or coalesce(has_k1 and spine.births is not null
        and (good.k4 is null or spine.lacks_k4 or (spine.births = 1 and good.k4 = spine.k4)), false)
          as is_linkable
    from good left join owner using (ordinal) left join spine using (one_k1)
  )
  select agency, count(*) as delivered, count(*) filter (where is_linked) as linked,
    count(*) filter (where is_wrong) as wrong, count(*) filter (where is_linkable) as linkable,
    count(*) filter (where is_linkable and (is_wrong or not is_linked)) as missed
  from judged group by agency order by agency`
