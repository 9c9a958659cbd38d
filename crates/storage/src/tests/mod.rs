//! Storage against a real database: SQLite always, PostgreSQL where `TEST_POSTGRES_URL` names a server.

mod inbox;
mod integrity;
mod kit;
mod people;
mod reads;
mod record;
mod world;
