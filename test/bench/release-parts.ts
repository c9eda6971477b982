/** A made-up delivery for the bench of a release: keys, registrations and statements as Parquet parts. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { defaultCatalogue } from '../../src/catalogue/load.ts'
import { openSession, quoteIdentifier, quoteText, type Session } from '../../src/engine/session.ts'

const rowsOfPart = 2_500_000

type PartFile = { table: string; number: number; rows: number; mediaType: string; path: string }

export type ClaimParts = {
  keys: PartFile
  registration: PartFile
  statements: PartFile[]
  /** For the limit: serial, number, pseudonym and its place of everybody. */
  persons: string
}

/** Claims by day and number, not by person: a hundred diagnoses, a share of them sensitive, 20,000 institutions. */
const statementValues: Readonly<Record<string, string>> = {
  MID: `(2018000000000 + i)::varchar`,
  YKIHO: `(10000000 + dice % 20000)::varchar`,
  YKIHO_NM: `'의원 ' || dice % 300`,
  MSICK_CD: `chr((65 + dice % 20)::integer) || lpad((dice // 20 % 10)::varchar, 2, '1') || '.' || dice // 200 % 3`,
  SSICK_CD: `case when dice // 7 % 3 = 0 then 'I10.' || dice // 21 % 10 end`,
  RECU_FR_DD: `date '2018-01-01' + (i * 2000 // total)::integer`,
  RECU_DDCNT: `(1 + dice // 11 % 21)::bigint`,
  VST_DDCNT: `(1 + dice // 13 % 21)::bigint`,
  SPCF_SYM_CD: `case when dice // 17 % 3 = 0 then 'V193' end`,
  RVD_RPE_TAMT: `(9000 + dice // 19 % 110000 * 10)::bigint`,
  RVD_SLF_BRDN_AMT: `(450 + dice // 23 % 110000)::bigint`,
}

const registrationValues: Readonly<Record<string, string>> = {
  TUMOR_NO: '1::bigint',
  BIRTH_YM: `(1930 + dice % 70)::varchar || lpad((1 + dice // 70 % 12)::varchar, 2, '0')`,
  FDX_DD: `date '2012-01-01' + (dice // 3 % 3600)::integer`,
  TOPO_CD: `'C' || lpad((dice // 5 % 80)::varchar, 2, '0') || '.' || dice // 400 % 10`,
  MORP_CD: `(8000 + dice // 7 % 200)::varchar`,
  REG_YYYY: `(2012 + dice % 10)::bigint`,
}

/** Writes the parts. */
export async function makeClaimParts(
  directory: string,
  { persons, rows }: { persons: number; rows: number },
): Promise<ClaimParts> {
  mkdirSync(directory)
  const session = await openSession({ scratchDir: directory, memoryMiB: 1_000, threads: 2 })
  try {
    const part = (table: string, number: number, count: number): PartFile => ({
      table,
      number,
      rows: count,
      mediaType: 'application/vnd.apache.parquet',
      path: join(directory, `${table || 'keys'}-${number}.parquet`),
    })
    const keys = part('', 1, persons)
    await copy(
      session,
      keys.path,
      `select ${serialOf('i')} as serial, sha256(i::varchar) as "K1" from range(${persons}) r(i)`,
    )
    const registration = part('registration', 1, persons)
    await copy(
      session,
      registration.path,
      rowsOf('registration', registrationValues, {
        from: 0,
        to: persons,
        person: 'i',
        total: persons,
      }),
    )
    const statements: PartFile[] = []
    const parts = Math.max(2, 2 * Math.ceil(rows / (2 * rowsOfPart)))
    for (let number = 1; number <= parts; number += 1) {
      const [from, to] = [number - 1, number].map((edge) => Math.round((rows * edge) / parts))
      const file = part('statement', number, (to ?? 0) - (from ?? 0))
      const person = `hash(i * 3 + 1) % ${persons}`
      await copy(
        session,
        file.path,
        rowsOf('statement', statementValues, {
          from: from ?? 0,
          to: to ?? 0,
          person,
          total: rows,
        }),
      )
      statements.push(file)
    }
    const list = join(directory, 'limit-persons.parquet')
    await copy(
      session,
      list,
      `select ${serialOf('i')} as serial, i::integer as ordinal, upper(left(md5(i::varchar), 27)) as pseudonym,
        (row_number() over (order by upper(left(md5(i::varchar), 27))) - 1)::integer as rank
      from range(${persons}) r(i) order by rank`,
    )
    return { keys, registration, statements, persons: list }
  } finally {
    session.close()
  }
}

function serialOf(person: string): string {
  return `left(md5('serial' || (${person})), 26)`
}

function rowsOf(
  table: string,
  values: Readonly<Record<string, string>>,
  of: { from: number; to: number; person: string; total: number },
): string {
  const columns = Object.entries(defaultCatalogue().tables[table]?.columns ?? {})
  const chosen = columns.map(([name, { codes = [] }]) => {
    const listed = `[${codes.map(quoteText).join(', ')}][1 + dice // 29 % ${codes.length}]`
    return `${values[name] ?? listed} as ${quoteIdentifier(name)}`
  })
  return `select ${[`${serialOf(of.person)} as serial`, ...chosen].join(', ')}
    from (select i, (hash(i * 7 + 5) // 4)::bigint as dice, ${of.total} as total from range(${of.from}, ${of.to}) r(i))`
}

async function copy(session: Session, path: string, query: string): Promise<void> {
  await session.run(`copy (${query}) to ${quoteText(path)} (format parquet, compression zstd,
    compression_level 1, parquet_version 'v2', dictionary_size_limit 1000)`)
}
