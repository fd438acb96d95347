//! Sign-ins as the Entra portal downloads them: a file of columns with the names that the portal displays.
//!
//! The download holds less than the log: places as one text, display words instead of values. What maps is mapped; the
//! rest is counted by its name.

use std::borrow::Cow;

use crate::json::text::quoted;
use crate::row::Row;
use crate::sources::{Mapped, Record, Source};

/// The file that the portal writes beside the sign-ins, with their steps.
pub(in crate::sources) static DETAILS: Source = Source {
    name: "entra-portal-details",
    recognise: is_detail,
    map: |_, _, _| {
        Mapped::Other("authentication details of the Entra portal: the sign-ins are in the file beside".into())
    },
    guide: None,
};

fn is_detail(record: &Record<'_>) -> bool {
    record.has("Request ID") && record.has("Authentication method") && record.has("Succeeded")
}

/// Names as the portal displays them, and the columns of the table. An empty column: taken by `Download::complete`.
const COLUMNS: &[(&str, &str)] = &[
    ("Date (UTC)", "TimeGenerated"),
    ("Request ID", "Id"),
    ("User agent", "UserAgent"),
    ("Correlation ID", "CorrelationId"),
    ("User ID", "UserId"),
    ("User", "UserDisplayName"),
    ("Username", "UserPrincipalName"),
    ("User type", "UserType"),
    ("Cross tenant access type", "CrossTenantAccessType"),
    ("Incoming token type", "IncomingTokenType"),
    ("Unique token identifier", "UniqueTokenIdentifier"),
    ("Application", "AppDisplayName"),
    ("Application ID", "AppId"),
    ("Resource", "ResourceDisplayName"),
    ("Resource ID", "ResourceIdentity"),
    ("Resource tenant ID", "ResourceTenantId"),
    ("Home tenant ID", "HomeTenantId"),
    ("Service principal ID", "ServicePrincipalId"),
    ("Service principal name", "ServicePrincipalName"),
    ("IP address", "IPAddress"),
    ("Client app", "ClientAppUsed"),
    ("Token issuer type", "TokenIssuerType"),
    ("Location", ""),
    ("Status", ""),
    ("Sign-in error code", ""),
    ("Failure reason", ""),
    ("Conditional Access", ""),
    ("Authentication requirement", ""),
    ("Multifactor authentication result", ""),
    ("Device ID", ""),
    ("Browser", ""),
    ("Operating System", ""),
    ("Compliant", ""),
    ("Managed", ""),
    ("Join Type", ""),
];

/// A file that the portal wrote.
pub(crate) struct Download {
    /// The columns' names in the table; of the others the names given.
    pub(crate) names: Vec<Cow<'static, str>>,
    pub(crate) table: &'static str,
    given: Vec<String>,
}

impl Download {
    /// Recognises the header of such a file.
    pub(crate) fn of(names: &[Cow<'_, str>], path: &str) -> Option<Download> {
        let given: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        let has = |name: &str| given.iter().any(|known| known == name);
        if !(has("Date (UTC)") && has("Request ID") && has("Correlation ID") && has("Sign-in error code")) {
            return None;
        }
        let file = path.rsplit('/').next().unwrap_or_default().to_lowercase();
        let table = match has("Service principal ID") && !has("Username") {
            true if file.starts_with("msi") || file.contains("managedidentity") => "AADManagedIdentitySignInLogs",
            true => "AADServicePrincipalSignInLogs",
            false if file.starts_with("noninteractive") => "AADNonInteractiveUserSignInLogs",
            false => "SigninLogs",
        };
        let name = |given: &String| match COLUMNS.iter().find(|(shown, _)| shown == given) {
            // A name that no table has and no plan counts: its value is taken below.
            Some((_, "")) => Cow::Borrowed("$table"),
            Some((_, column)) => Cow::Borrowed(*column),
            None => Cow::Owned(given.clone()),
        };
        Some(Download { names: given.iter().map(name).collect(), table, given })
    }

    /// Fills the columns whose values the portal words differently.
    pub(crate) fn complete(&self, cells: &[Cow<'_, str>], row: &mut Row<'_>) {
        let cell = |name: &str| {
            let index = self.given.iter().position(|given| given == name);
            index.and_then(|index| cells.get(index)).map_or("", |cell| cell.trim())
        };
        let code = cell("Sign-in error code");
        let success = cell("Status").eq_ignore_ascii_case("success");
        match code {
            "" | "None" if success => row.set("ResultType", "0".to_owned()),
            "None" => {}
            code => row.set("ResultType", code.to_owned()),
        }
        if !success {
            row.set("ResultDescription", cell("Failure reason").to_owned());
        }
        self.complete_location(cell("Location"), row);
        let access = match cell("Conditional Access") {
            "Success" => "success",
            "Failure" => "failure",
            "Not Applied" | "Not applied" => "notApplied",
            other => other,
        };
        row.set("ConditionalAccessStatus", access.to_owned());
        let requirement = match cell("Authentication requirement") {
            "Single-factor authentication" => "singleFactorAuthentication",
            "Multifactor authentication" | "Multi-factor authentication" => "multiFactorAuthentication",
            other => other,
        };
        row.set("AuthenticationRequirement", requirement.to_owned());
        let device = [
            ("deviceId", "Device ID"),
            ("operatingSystem", "Operating System"),
            ("browser", "Browser"),
            ("trustType", "Join Type"),
        ];
        let mut parts: Vec<String> = device
            .iter()
            .filter(|(_, name)| !cell(name).is_empty())
            .map(|(key, name)| format!("\"{key}\":{}", quoted(cell(name))))
            .collect();
        for (key, name) in [("isCompliant", "Compliant"), ("isManaged", "Managed")] {
            match cell(name).to_ascii_lowercase().as_str() {
                "true" | "yes" => parts.push(format!("\"{key}\":true")),
                "false" | "no" => parts.push(format!("\"{key}\":false")),
                _ => {}
            }
        }
        if !parts.is_empty() {
            row.set("DeviceDetail", format!("{{{}}}", parts.join(",")));
        }
        row.set("SourceSystem", "Azure AD");
        row.identified = !row.text("Id").is_empty();
        row.mended.push("display words of the portal: the log itself holds more");
    }

    /// `Warsaw, Mazowieckie, PL`.
    fn complete_location(&self, place: &str, row: &mut Row<'_>) {
        let mut parts = place.rsplitn(3, ',').map(str::trim);
        let (country, state, city) = (parts.next(), parts.next(), parts.next());
        let Some(country) = country.filter(|country| !country.is_empty()) else { return };
        row.set("Location", country.to_owned());
        let known = [("city", city), ("state", state), ("countryOrRegion", Some(country))];
        let known = known.iter().filter_map(|(key, value)| Some(format!("\"{key}\":{}", quoted((*value)?))));
        row.set("LocationDetails", format!("{{{}}}", known.collect::<Vec<_>>().join(",")));
    }
}
