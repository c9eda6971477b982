/**
 * Dates in a release. Under `relative` every date of a person becomes the number of days since the person's anchor, the
 * first diagnosis, so intervals and order are exact and the calendar is gone but for the anchor's month.
 */

const dayMs = 86_400_000

/**
 * Days from the anchor to a date, negative before it: the reference of what the engine computes by column.
 *
 * @param date - YYYY-MM-DD.
 * @param anchor - YYYY-MM-DD.
 */
export function daysSince(anchor: string, date: string): number {
  return Math.round((dayNumber(date) - dayNumber(anchor)) / dayMs)
}

/** The month of a date, YYYY-MM: all of the calendar that a relative release shows. */
export function monthOf(date: string): string {
  dayNumber(date)
  return date.slice(0, 7)
}

function dayNumber(date: string): number {
  const time = Date.parse(`${date}T00:00:00Z`)
  // Date.parse takes 31 February for 3 March; a date that does not come back is not one.
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || Number.isNaN(time)) throw new RangeError('not a date')
  if (new Date(time).toISOString().slice(0, 10) !== date) throw new RangeError('not a date')
  return time
}

/**
 * The shifts of a column of persons, in whole weeks from -26 to 26: 53 values, from the first 48 bits of each MAC. The odds
 * of two values differ by less than 2⁻⁴².
 *
 * @param macs - n × 16 bytes, of the release's date key over each person.
 */
export function weeksOf(macs: Uint8Array): number[] {
  if (macs.length % 16 !== 0) throw new RangeError('a column holds whole MACs')
  const bytes = Buffer.from(macs.buffer, macs.byteOffset, macs.byteLength)
  return Array.from(
    { length: macs.length / 16 },
    (_, index) => (bytes.readUIntBE(index * 16, 6) % 53) - 26,
  )
}
