/**
 * The database for `viaduct user`, `alias` and `import`: DATABASE_URL, or the embedded server of DATA_DIR. One that runs is used as it is; one
 * that does not is started for the command and ended after it.
 */
import { openDatabase } from '../adapters/postgres/database.ts';
import { findEmbedded, startEmbedded } from '../adapters/postgres/embedded.ts';
import type { DatabaseConnection } from '../adapters/postgres/pool.ts';
import type { Log } from '../ports.ts';
import { openDataDir } from '../start/data-dir.ts';
import type { ImportDatabase } from './import.ts';

export interface UserDatabaseSettings {
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly log: Log;
}

interface Reached {
  readonly connection: DatabaseConnection;
  leave(): Promise<void>;
}

export async function openUserDatabase(settings: UserDatabaseSettings): Promise<ImportDatabase> {
  const { connection, leave } = await reach(settings);
  try {
    const database = await openDatabase({ connection, log: settings.log, maxConnections: 1 });
    const close = async () => {
      await database.close();
      await leave();
    };
    const { subscribers, aliases, location } = database;
    return { subscribers, aliases, location, close };
  } catch (error) {
    await leave();
    throw error;
  }
}

async function reach({ databaseUrl, dataDir, log }: UserDatabaseSettings): Promise<Reached> {
  if (databaseUrl !== undefined) return { connection: { url: databaseUrl }, leave: async () => undefined };
  const running = await findEmbedded(dataDir);
  if (running !== undefined) return { connection: running, leave: async () => undefined };
  openDataDir(dataDir, false);
  const started = await startEmbedded({ dataDir, log });
  return { connection: started.connection, leave: started.stop };
}
