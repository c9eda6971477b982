/**
 * Serials: what a person is called in a delivery. 60 random bits, so that nothing of the person or of the order of the file
 * is in them; the same in every wave, by the map that the agency keeps.
 */
import { randomFillSync } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
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
