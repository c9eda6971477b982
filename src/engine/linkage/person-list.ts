/** The list of persons, which crosses to the data side. */
import { repeatsIn } from '../repeats.ts'
import { quoteText, type Session } from '../session.ts'
import { parquetOptions } from '../take-table.ts'

/** Two persons with one number would be one person: a broken invariant, never a result. */
export async function requireOwnNumbers(session: Session, personsFile: string): Promise<void> {
  const repeats = await repeatsIn(session, personsFile, 'person')
  if (repeats > 0) throw new Error('two persons share a number')
}

/**
 * Writes the list of persons: ordinal INTEGER from 0, person UUID, in order of both.
 *
 * @returns how many there are.
 */
export async function writePersons(session: Session, file: string): Promise<number> {
  await session.run(`copy (select ordinal, person from person)
    to ${quoteText(file)} (${parquetOptions})`)
  const [found] = await session.rows<{ persons: number }>('select count(*) as persons from person')
  return found?.persons ?? 0
}
