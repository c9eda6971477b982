/**
 * Serials: what a person is called in a delivery. 60 random bits, so that nothing of the person or of the order of the file
 * is in them; the same in every wave, by the map that the agency keeps.
 */
import { randomFillSync } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { quoteText } from '../engine/session.ts'
import type { AgencySession } from './session.ts'

const alphabet = Buffer.from('0123456789ABCDEFGHJKMNPQRSTVWXYZ') // Crockford base 32.
const serialLength = 12

/**
 * Makes the table `serial_of (id, serial)` for every id of the table `person`, and for those of an earlier wave.
 *
 * @param earlier - the map of an earlier wave (`serials.parquet`), whose serials stay.
 */
export async function giveSerials(
  session: AgencySession,
  workDir: string,
  earlier?: string,
): Promise<void> {
  const known =
    earlier === undefined
      ? 'select null::varchar as id, null::varchar as serial where false'
      : `select id::varchar as id, serial::varchar as serial from read_parquet(${quoteText(earlier)})`
  await session.run(`create temp table earlier_serial as ${known}`)
  await session.run(
    'create temp table fresh as select id from person anti join earlier_serial using (id)',
  )
  const [counted] = await session.rows('select count(*)::integer as count from fresh')
  const drawn = join(workDir, 'serials.txt')
  try {
    // A draw of 10 million meets itself once in 20,000 times; then all are drawn again.
    for (;;) {
      await writeDraw(drawn, Number(counted?.['count'] ?? 0))
      await session.run(`create or replace temp table serial_of as
        select id, serial from earlier_serial
        union all
        select fresh.id, draw.serial from fresh positional join read_csv(${quoteText(drawn)},
          columns = {serial: 'VARCHAR'}, header = false, auto_detect = false, delim = ',') draw`)
      const [repeats] = await session.rows(
        'select (count(*) - count(distinct serial))::integer as count from serial_of',
      )
      if (repeats?.['count'] === 0) break
    }
  } finally {
    await rm(drawn, { force: true })
  }
  await session.run('drop table fresh; drop table earlier_serial')
}

/**
 * Makes the table `serial_of (id, serial)` of serials that were given before. The serial of who is not on the list is NULL.
 *
 * @param earlier - the map that came with the keys (`serials.parquet`).
 * @param only - the list: CSV, one column `serial`.
 * @throws {Refusal} `input-malformed` if the list is none, or has serials that the map does not have.
 */
export async function takeSerials(
  session: AgencySession,
  earlier: string,
  only?: string,
): Promise<void> {
  const map = `read_parquet(${quoteText(earlier)})`
  if (only === undefined) {
    await session.run(`create temp table serial_of as
      select id::varchar as id, serial::varchar as serial from ${map}`)
    return
  }
  await requireList(only)
  await session.run(`create temp table wanted as
    select distinct serial from read_csv(${quoteText(only)}, columns = {serial: 'VARCHAR'},
      header = true, auto_detect = false, delim = ',', quote = '"', escape = '"')`)
  const [counted] = await session.rows(`select count(*)::integer as count
    from wanted anti join ${map} using (serial)`)
  if (counted?.['count'] !== 0) {
    const sentence =
      'The list has serials that serials.parquet does not have. Name that of its keys.'
    throw new Refusal('input-malformed', sentence, { serials: Number(counted?.['count']) })
  }
  await session.run(`create temp table serial_of as
    select map.id::varchar as id, wanted.serial
    from ${map} map left join wanted using (serial)`)
  await session.run('drop table wanted')
}

const listHeader = /^serial\r?\n/

async function requireList(path: string): Promise<void> {
  const begins = Buffer.alloc(8)
  try {
    await using file = await open(path, 'r')
    await file.read(begins, 0, begins.length, 0)
  } catch (cause) {
    const sentence = 'The list of serials cannot be read. Check its path.'
    throw new Refusal('not-found', sentence, {}, { cause })
  }
  if (listHeader.test(begins.toString('latin1'))) return
  throw new Refusal('input-malformed', 'The list of serials is CSV with one column, serial.')
}

async function writeDraw(path: string, count: number): Promise<void> {
  await using file = await open(path, 'w', 0o600)
  const width = serialLength + 1
  for (let left = count; left > 0; ) {
    const lines = Math.min(left, 100_000)
    const bytes = randomFillSync(Buffer.allocUnsafe(lines * width))
    for (let at = 0; at < bytes.length; at++) {
      const isEnd = at % width === serialLength
      bytes[at] = isEnd ? 0x0a : (alphabet[(bytes[at] ?? 0) & 31] ?? 0)
    }
    await file.writeFile(bytes)
    left -= lines
  }
}
