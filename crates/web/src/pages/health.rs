//! GET /livez, GET /readyz: for whoever keeps the program running.

use actix_web::HttpResponse;

use crate::error::{Answer, Error};
use crate::extract::Visitor;

/// The program answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// The program can work: its database answers.
pub async fn ready(visitor: Visitor) -> Answer {
    visitor.site().door.ready().await.map_err(|cause| Error::Unavailable(cause.to_string()))?;
    Ok(HttpResponse::Ok().content_type("text/plain").body("ok\n"))
}
