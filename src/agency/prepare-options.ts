/** What a preparation is asked and what it tells. */
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

export type PrepareOptions = {
  description: SourceDescription
  /** What the paths of the description are relative to. */
  sourceDir: string
  /** Where the delivery will stand. Must not exist, or be empty. */
  outDir: string
  agenciesKey: Uint8Array
  /** As the service told it: recipe, this agency's key types, its tables and their columns. */
  recipe: Pick<RecipeAnswer, 'recipe' | 'keyTypes' | 'tables'> & { project?: string }
  wave: number
  /** `serials.parquet` of an earlier wave: its serials stay. */
  serials?: string
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
  persons: PersonsReport
  /** Pairs of numbers that were sent as notices. */
  notices: number
  tables: Record<string, TableReport>
}
