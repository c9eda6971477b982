/**
 * Records that have waited long enough. A record that is nobody's waits so many waves for its person; then what is left of
 * it is destroyed. One that was somebody's in the linkage before stays for one more, so that people can look at its case.
 * Under a new linkage key nothing of an older delivery can be found any more, so its unlinked records go at once, and of the
 * others the tokens: they stay with whom they were linked to by their serial.
 */
import { join } from 'node:path'
import type { LinkDelivery } from '../linkage/agencies.ts'
import { quoteText, type Session } from '../session.ts'
import { parquetOptions } from '../take-table.ts'

/** Whether anything of a delivery may be due. */
export function isLate(delivery: LinkDelivery, lateWave: number): boolean {
  return delivery.isRetired === true || (!delivery.isSpine && delivery.wave <= lateWave)
}

/**
 * Table `expired` (serial): records of an agency that are nobody's and whose last wave is so late. Needs `linked`, and after
 * the first linkage `before_link`.
 *
 * @param of.lateWave - the last wave that has waited long enough.
 * @returns how many there are.
 */
export async function findExpired(
  session: Session,
  agency: number,
  { isFirst, lateWave }: { isFirst: boolean; lateWave: number },
): Promise<number> {
  const isLost = isFirst ? 'false' : 'linked.serial in (select serial from before_link)'
  await session.run(`
    create or replace temp table expired as
    select linked.serial
    from linked
    left join sent_${agency} as sent on sent.serial = linked.serial
    where ordinal is null
      and (sent.serial is null or sent.last_wave <= ${lateWave} and not ${isLost})`)
  const [counted] = await session.rows<{ expired: number }>(
    'select count(*) as expired from expired',
  )
  return counted?.expired ?? 0
}

/**
 * Writes the token files of a delivery again without what is expired, if that leaves less.
 *
 * @returns a file for each of the delivery's, in order; undefined where nothing has to go.
 */
export async function thinTokens(
  session: Session,
  { deliveryId, files, isRetired }: LinkDelivery,
  outDir: string,
): Promise<string[] | undefined> {
  const from = `read_parquet([${files.map(quoteText).join(', ')}])`
  const tokens = ['t1', 't2', 't3', 't4', 't5']
  const hasTokens = isRetired ? `coalesce(${tokens.join(', ')}) is not null` : 'false'
  const [due] = await session.rows<{ rows: number }>(`
    select count(*) as rows from ${from} where serial in (from expired) or ${hasTokens}`)
  if (due?.rows === 0) return undefined
  const nothing = tokens.map((name) => `null::uuid as ${name}`).join(', ')
  const thinned = files.map((_, at) => join(outDir, `thin-${deliveryId}-${at}.parquet`))
  for (const [at, file] of files.entries()) {
    await session.run(`
      copy (
        select * ${isRetired ? `replace (${nothing})` : ''}
        from read_parquet(${quoteText(file)})
        anti join expired using (serial)
      ) to ${quoteText(thinned[at] ?? '')} (${parquetOptions})`)
  }
  return thinned
}
