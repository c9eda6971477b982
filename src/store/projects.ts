/** Projects, the agencies in them, and the public keys to which their objects are sealed. */
import type { MacAlgorithm } from '../core/mac.ts'
import type { RiskGrade } from '../core/review.ts'
import type { Queryable, Tx } from './pool.ts'

export type ProjectAgency = {
  agencyId: string
  agency: string
  isSpine: boolean
  isDuplicateFree: boolean
  keyTypes: string[]
}

/** On what ground a project stands, and how strictly its releases are reviewed. */
export type ProjectReview = {
  riskGrade: RiskGrade
  /** Distinct reviewers that a release needs; null: by the grade. */
  reviewersMin: number | null
  legalBasis: string | null
  noticeVersion: string | null
  irbNumber: string | null
  boardNumber: string | null
  /** Witnesses that must have cosigned the building of a release before it is approved. */
  cosignaturesMin: number
}

export type Project = ProjectReview & {
  id: string
  name: string
  purpose: string
  state: 'proposed' | 'approved' | 'open' | 'closed'
  /** Checked by `catalogueSchema` when the project was proposed. */
  catalogue: unknown
  /** Checked by `recipeSchema`. */
  recipe: unknown
  /** Checked by `canaryTableSchema`; null where the project has none. */
  canaries: unknown
  rules: unknown
  macAlgorithm: MacAlgorithm
  /** Of the linkage key that new deliveries are taken in under; keys up to `retiredEpoch` are destroyed. */
  epoch: number
  retiredEpoch: number
  createdBy: string
  approvedBy: string | null
  createdAt: Date
  approvedAt: Date | null
}

const projectColumns = `project_id as id, name, purpose, state, catalogue, recipe, canaries, rules,
  mac_algorithm as "macAlgorithm", epoch, retired_epoch as "retiredEpoch", created_by as "createdBy", approved_by as "approvedBy",
  created_at as "createdAt", approved_at as "approvedAt", risk_grade as "riskGrade",
  reviewers_min as "reviewersMin", legal_basis as "legalBasis", notice_version as "noticeVersion",
  irb_number as "irbNumber", board_number as "boardNumber",
  cosignatures_min as "cosignaturesMin"`

/** The project, by id or by name; undefined if there is none. */
export async function findProject(db: Queryable, idOrName: string): Promise<Project | undefined> {
  const { rows } = await db.query<Project>(
    `select ${projectColumns} from gyeol.project where project_id::text = $1::text or name = $1::text`,
    [idOrName],
  )
  return rows[0]
}

/** Projects, newest first, at most 200; only those of one agency if it is given. */
export async function listProjects(db: Queryable, agencyId?: string): Promise<Project[]> {
  const { rows } = await db.query<Project>(
    `select ${projectColumns} from gyeol.project p
     where $1::uuid is null
        or exists (select 1 from gyeol.project_agency a
                   where a.project_id = p.project_id and a.agency_id = $1::uuid)
     order by created_at desc limit 200`,
    [agencyId ?? null],
  )
  return rows
}

/** Stores a proposed project with its agencies. */
export async function insertProject(
  tx: Tx,
  project: Omit<
    Project,
    'state' | 'approvedBy' | 'createdAt' | 'approvedAt' | 'epoch' | 'retiredEpoch'
  >,
  agencies: ProjectAgency[],
): Promise<void> {
  await tx.query(
    `insert into gyeol.project
       (project_id, name, purpose, catalogue, recipe, canaries, rules, mac_algorithm, created_by,
        risk_grade, reviewers_min, legal_basis, notice_version, irb_number, board_number,
        cosignatures_min)
     values ($1::uuid, $2::text, $3::text, $4::json, $5::json, $6::json, $7::json, $8::text, $9::uuid,
             $10::text, $11::integer, $12::text, $13::text, $14::text, $15::text, $16::integer)`,
    [
      project.id,
      project.name,
      project.purpose,
      JSON.stringify(project.catalogue),
      JSON.stringify(project.recipe),
      JSON.stringify(project.canaries),
      JSON.stringify(project.rules),
      project.macAlgorithm,
      project.createdBy,
      project.riskGrade,
      project.reviewersMin,
      project.legalBasis,
      project.noticeVersion,
      project.irbNumber,
      project.boardNumber,
      project.cosignaturesMin,
    ],
  )
  await tx.query(
    `insert into gyeol.project_agency (project_id, agency_id, is_spine, is_duplicate_free, key_types)
     select $1::uuid, a."agencyId", a."isSpine", a."isDuplicateFree", a."keyTypes"
     from jsonb_to_recordset($2::jsonb)
       as a ("agencyId" uuid, "isSpine" boolean, "isDuplicateFree" boolean, "keyTypes" text[])`,
    [project.id, JSON.stringify(agencies)],
  )
}

/** The agencies of a project, by name. */
export async function agenciesOfProject(
  db: Queryable,
  projectId: string,
): Promise<ProjectAgency[]> {
  const { rows } = await db.query<ProjectAgency>(
    `select a.agency_id as "agencyId", a.name as agency, p.is_spine as "isSpine",
       p.is_duplicate_free as "isDuplicateFree", p.key_types as "keyTypes"
     from gyeol.project_agency p join gyeol.agency a using (agency_id)
     where p.project_id = $1::uuid order by a.name`,
    [projectId],
  )
  return rows
}

/** Marks a proposed project as approved; false if it was not waiting for that. */
export async function approveProposedProject(
  tx: Tx,
  projectId: string,
  accountId: string,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update gyeol.project set state = 'approved', approved_by = $2::uuid, approved_at = now()
     where project_id = $1::uuid and state = 'proposed'`,
    [projectId, accountId],
  )
  return rowCount === 1
}

/** Opens an approved project once both sides have published their sealing keys; true if it is open after this. */
export async function openProjectWhenSealed(tx: Tx, projectId: string): Promise<boolean> {
  // The row lock makes the second of the two sides see the first one's key.
  await tx.query('select 1 from gyeol.project where project_id = $1::uuid for update', [projectId])
  const { rowCount } = await tx.query(
    `update gyeol.project set state = 'open'
     where project_id = $1::uuid and state = 'approved'
       and (select count(*) from gyeol.sealing_key k
            where k.project_id = $1::uuid and k.retired_at is null and k.side in ('key', 'data')) = 2`,
    [projectId],
  )
  return rowCount === 1
}
