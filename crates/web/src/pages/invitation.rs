//! GET and POST /invitation/{token} and /password/{token}: one mailed link, used once. Opening it changes nothing, since
//! mail scanners open links; choosing the password does.

use actix_web::{HttpRequest, web};
use askama::Template;
use domain::money::Marks;
use engine::signin::{Invited, Opened};

use crate::error::{Answer, Error};
use crate::extract::{Visitor, again, show};
use crate::fields::Typed;
use crate::pages::sign_in::{enter, forget_passwords};
use crate::posted::Posted;
use crate::view::{Field, Form};

#[derive(Template)]
#[template(path = "pages/invitation.html")]
struct InvitationPage {
    invited: Invited,
    form: Form,
}

fn page(visitor: &Visitor, invited: Invited, typed: &Typed) -> InvitationPage {
    let form = visitor
        .form()
        .with(
            Field::new("email", "E-mail address", crate::view::Control::Hidden)
                .value_is(&invited.email)
                .autocomplete("username"),
        )
        .with(
            Field::password("password", if invited.is_reset { "New password" } else { "Password" })
                .hint("At least 12 characters. A few words that only you put together are easy to keep.")
                .autocomplete("new-password"),
        );
    InvitationPage { invited, form: forget_passwords(typed.onto(form)) }
}

/// GET /invitation/{token}, GET /password/{token}
pub async fn show_form(visitor: Visitor, token: web::Path<String>) -> Answer {
    let invited = visitor.site().door.invited(&token).await?;
    show(&page(&visitor, invited, &Typed::default()))
}

/// POST /invitation/{token}, POST /password/{token}
pub async fn submit(visitor: Visitor, req: HttpRequest, token: web::Path<String>, posted: Posted) -> Answer {
    match accept(&visitor, &token, &posted).await {
        Ok(opened) => enter(&visitor, &req, opened, "/", "").await,
        Err(error) => {
            let invited = visitor.site().door.invited(&token).await?;
            again(error, &posted, async |typed| Ok(page(&visitor, invited, &typed))).await
        }
    }
}

async fn accept(visitor: &Visitor, token: &str, posted: &Posted) -> Result<Opened, Error> {
    let password = posted.read(Marks::Point, |form| {
        // Carried for password managers only; the link says whose it is.
        form.ignore("email");
        form.secret("password")
    })?;
    Ok(visitor.site().door.accept(token, &password, visitor.visit()).await?)
}
