/** What a preparation is asked and what it tells. */
import { Refusal } from '../core/errors.ts'
import type { Manifest, RecipeAnswer } from '../core/manifest.ts'
import type { PersonsReport } from './persons.ts'
import type { SourceDescription } from './source-description.ts'
import type { TableReport } from './table-rows.ts'

/** How far a preparation is. Bytes are those of the sources. */
export type Progress = {
  stage: 'persons' | 'keys' | 'tables'
  table?: string
  file?: string
  bytes: number
  bytesTotal: number
  rows: number
}

/** What a delivery holds. Tables alone rest on keys that the agency delivered for the same wave before. */
export type Content = 'keys and tables' | 'keys' | 'tables'

export type PrepareOptions = {
  description: SourceDescription
  /** What the paths of the description are relative to. */
  sourceDir: string
  /** Where the delivery will stand. Must not exist, or be empty. */
  outDir: string
  /** Default keys and tables. */
  content?: Content
  /** Needed for keys. */
  agenciesKey?: Uint8Array
  /** As the service told it: recipe, this agency's key types, its tables and their columns. */
  recipe: Pick<RecipeAnswer, 'recipe' | 'keyTypes' | 'tables'> & { project?: string }
  wave: number
  /** `serials.parquet` of an earlier wave: its serials stay. Tables alone need that of their keys. */
  serials?: string
  /** Of tables alone: the list of the serials whose rows go, as `gyeol agency extraction` fetched it. All go unless said. */
  only?: string
  /** Refuses a table when a larger share of its rows has no person. Default 0.05. */
  unknownMaxShare?: number
  threads?: number
  /** What DuckDB may hold; the whole process stays below about twice that. Default 600. */
  memoryMiB?: number
  onProgress?: (progress: Progress) => void
  signal?: AbortSignal
}

export type PrepareReport = {
  manifest: Manifest
  /** Null for tables alone, for which no person is read. */
  persons: PersonsReport | null
  /** Pairs of numbers that were sent as notices. */
  notices: number
  tables: Record<string, TableReport>
}

/**
 * What a preparation needs for what it shall hold.
 *
 * @throws {Refusal} `option-unknown`.
 */
export function requireNeeded({ content, agenciesKey, serials, only }: PrepareOptions): void {
  const refuse = (sentence: string): never => {
    throw new Refusal('option-unknown', sentence)
  }
  if (content !== 'tables') {
    if (only) refuse('A list of serials is for tables whose keys were delivered before.')
    if (!agenciesKey) refuse('Keys are made under the key of the agencies. Name its file.')
  } else if (!serials) {
    refuse('Tables alone need the serials.parquet of the keys that were delivered before.')
  }
}
