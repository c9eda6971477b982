import { Refusal } from '../core/errors.ts'
import defaultJson from './default.json' with { type: 'json' }
import { type Catalogue, catalogueSchema } from './schema.ts'

/**
 * A document as a checked catalogue.
 *
 * @throws {Refusal} `input-malformed`, whose details name the place (`table`, `column`), what is
 *   wrong there, and how many faults there are in all. A catalogue holds names and codes, no values
 *   of persons.
 */
export function catalogueOf(document: unknown): Catalogue {
  const checked = catalogueSchema.safeParse(document)
  if (checked.success) return checked.data
  const [first] = checked.error.issues
  const path = first?.path.map(String) ?? []
  throw new Refusal(
    'input-malformed',
    'The catalogue has a fault; correct the table and column named and load it again.',
    {
      ...(path[0] === 'tables' && path[1] !== undefined ? { table: path[1] } : {}),
      ...(path[2] === 'columns' && path[3] !== undefined ? { column: path[3] } : {}),
      place: path.join('.') || 'catalogue',
      fault: first?.message ?? '',
      faults: checked.error.issues.length,
    },
  )
}

let loaded: Catalogue | undefined

/**
 * The default catalogue: the ten person tables of the five agencies of K-CURE (`shared/KOREA.md`
 * §4). HIRA's provider table is not in it: its rows are institutions, not persons, so it has no
 * serial and cannot pass through a linkage.
 */
export function defaultCatalogue(): Catalogue {
  loaded ??= catalogueOf(defaultJson)
  return loaded
}
