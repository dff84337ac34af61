// Starts the page: as modules from a web server or the cache; as one script from a stick (file://),
// where browsers load no modules.
(function () {
  const element = document.createElement("script");
  if (location.protocol === "file:") {
    element.src = "usb/page.js";
  } else {
    element.src = "app.js";
    element.type = "module";
  }
  element.onerror = function () {
    document.getElementById("broken").hidden = false;
  };
  document.head.append(element);
})();
