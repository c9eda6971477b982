/**
 * The rows of a delivered part of a table, judged: a fault is a number that stands for a column and a reason, so that rows
 * are counted by it without a value being told.
 */
import { type ColumnCheck, type Reason, reasons } from './column-check.ts'
import { registrationNumberAsSerial, registrationNumberInText } from './identifier-shape.ts'
import { quoteIdentifier } from './session.ts'

/** A serial: 1 to 64 characters. In SQL, over a column; never NULL. */
export const serialIsWellFormed = `coalesce(
  strlen(serial) <= 64 and regexp_matches(serial, '^[A-Za-z0-9._-]+$'), false)`

const codesPerColumn = 16

/** The columns as they came, the typed ones beside them, and `fault`: NULL, or the first fault by column. */
export function judgedRows(checks: readonly ColumnCheck[], from: string): string {
  const typed = checks.map((check) => `, ${check.typed} as ${check.typedName}`).join('')
  const faults = checks.flatMap((check, index) =>
    check.faults.map(({ reason, when }) => `when ${when} then ${codeFor(index + 1, reason)}`),
  )
  return `
        select *, (case
          when not ${serialIsWellFormed} then ${codeFor(0, 'serial-malformed')}
          when ${registrationNumberAsSerial} then ${codeFor(0, 'identifier')}
          ${faults.join('\n          ')}
          end)::integer as fault
        from (select *${typed} from ${from})`
}

/** The code under which a bad row is counted: an identifier anywhere in it, as it came, goes before its first fault. */
export function codeOf(checks: readonly ColumnCheck[]): string {
  const identifiers = checks.map((check, index) => {
    const raw = `${quoteIdentifier(check.name)}::varchar`
    return `when ${registrationNumberInText(raw, check.isCode)} then ${codeFor(index + 1, 'identifier')}`
  })
  return `(case
          when ${registrationNumberAsSerial} then ${codeFor(0, 'identifier')}
          ${identifiers.join('\n          ')}
          else fault end)::integer`
}

/** Column × 16 + reason; the serial is column 0. */
function codeFor(column: number, reason: Reason): number {
  return column * codesPerColumn + reasons.indexOf(reason)
}

/** `column: reason` of a code. */
export function nameOfCode(code: number, checks: readonly ColumnCheck[]): string {
  const reason: Reason | undefined = reasons[code % codesPerColumn]
  const index = Math.floor(code / codesPerColumn)
  const column = index === 0 ? 'serial' : checks[index - 1]?.name
  if (reason === undefined || column === undefined) throw new Error('a fault without a name')
  return `${column}: ${reason}`
}
