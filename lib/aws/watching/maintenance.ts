/** Maintenance windows as they are given to constructs. */
import { z } from 'zod';
import { type Maintenance, type MaintenanceInput, maintenanceSchema } from '../../contracts/maintenance.ts';
import { ProblemError } from '../../contracts/problem.ts';
import { schemaProblems } from '../../contracts/schema-problems.ts';

const schema = z.object({ maintenance: z.array(maintenanceSchema).max(50) });

/** With what was left out. @throws ProblemError naming everything that is wrong with them */
export function maintenanceOf(given: readonly MaintenanceInput[]): readonly Maintenance[] {
  const parsed = schema.safeParse({ maintenance: given });
  if (parsed.success) return parsed.data.maintenance;
  throw new ProblemError(schemaProblems(schema, { maintenance: given }, parsed.error.issues));
}
