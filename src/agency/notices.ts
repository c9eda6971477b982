/**
 * Notices of changed numbers: pairs of K1 that say one person had both. Only the keys leave; the order of the part is that
 * of keys, which says nothing.
 */
import { Refusal } from '../core/errors.ts'
import type { Recipe } from '../core/recipe.ts'
import type { Parts } from './parts.ts'
import { cellSql } from './persons.ts'
import type { Piece } from './readable.ts'
import { keySql, normalisedSql, padsOf } from './recipe-sql.ts'
import type { AgencySession } from './session.ts'
import type { NoticeFiles } from './source-description.ts'

/** Makes the table that `readNotices` fills. */
export async function createNotices(session: AgencySession): Promise<void> {
  await session.run('create temp table notice_row (old_number varchar, new_number varchar)')
}

/**
 * Reads one piece of a file of notices. Pairs without two valid numbers are left out.
 *
 * @throws {Refusal} `column-missing` if the file lacks a column; `option-unknown` if K1 is not made of one field.
 */
export async function readNotices(
  session: AgencySession,
  { piece, layout }: { piece: Piece; layout: NoticeFiles },
  recipe: Recipe,
): Promise<void> {
  const [field, ...others] = recipe.keyTypes.K1 ?? []
  if (field === undefined || others.length > 0) {
    throw new Refusal('option-unknown', 'Notices need a recipe whose K1 is made of one number.')
  }
  const { oldRegistrationNumber, newRegistrationNumber } = layout.fields
  const cell = (column: string): string => `coalesce(${cellSql(piece, column, layout.trim)}, '')`
  const rule = recipe.fields[field] ?? 'identifier'
  await session.run(`
    insert into notice_row
    select ${normalisedSql(rule, 'old_number')}, ${normalisedSql(rule, 'new_number')}
    from (
      select ${cell(oldRegistrationNumber)} as old_number, ${cell(newRegistrationNumber)} as new_number
      from ${piece.relation}
    )`)
}

/** Writes the parts of notices: old_K1 and new_K1. Gives the number of pairs. */
export async function writeNotices(
  session: AgencySession,
  { recipe, agenciesKey }: { recipe: Recipe; agenciesKey: Uint8Array },
  parts: Parts,
): Promise<number> {
  const { ipad, opad } = padsOf(agenciesKey)
  await session.run('set variable ipad = $1', [ipad])
  await session.run('set variable opad = $1', [opad])
  const pairs = await parts.add(
    session,
    `select distinct ${keySql(recipe, 'K1', ['old_number'])} as "old_K1",
      ${keySql(recipe, 'K1', ['new_number'])} as "new_K1"
    from notice_row
    where old_number <> new_number
    order by all`,
  )
  await session.run('reset variable ipad; reset variable opad; drop table notice_row')
  return pairs ?? 0
}
